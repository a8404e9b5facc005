import { deadlineOf, withDeadline } from './time.ts';

interface Flight<T> {
  readonly answer: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Work that is done once for all who ask for it at the same moment, and stopped only when all of them have gone. */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Joins the flight of that key or starts it. Rejects with the signal's reason when this caller goes away. */
  async join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#start(key, start);
    flight.waiters += 1;
    // The flight may go on for as long as the most patient of those who wait.
    const soFar = flight.waiters === 1 ? 0 : deadlineOf(flight.controller.signal);
    withDeadline(flight.controller.signal, Math.max(soFar, deadlineOf(signal)));
    try {
      return await orAborted(flight.answer, signal);
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0 && this.#flights.get(key) === flight) {
        this.#flights.delete(key);
        flight.controller.abort(signal.reason);
      }
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = {
      // Begins in the next microtask, when the deadline of the first caller is known.
      answer: Promise.resolve().then(() => start(controller.signal)),
      controller,
      waiters: 0,
    };
    this.#flights.set(key, flight);
    const landed = (): void => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.answer.then(landed, landed);
    return flight;
  }
}

async function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, failed) => {
    abort = () => failed(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
