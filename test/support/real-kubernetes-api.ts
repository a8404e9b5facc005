import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'node:https';

/** What was answered; JSON is parsed. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Talks to the API server as its administrator: the test's own hands, not the client under test. */
export class AdminApi {
  readonly #server: string;
  readonly #token: string;
  readonly #agent: Agent;
  readonly #resources = new Map<string, readonly Resource[]>();

  constructor(server: string, ca: string, token: string) {
    this.#server = server;
    this.#token = token;
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 8 });
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Any request; objects are sent as JSON, text as it is. Rejects only when there is no answer. */
  send(
    method: string,
    path: string,
    { body, contentType = 'application/json' }: { body?: unknown; contentType?: string } = {},
  ): Promise<ApiAnswer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(text === undefined ? {} : { 'content-type': contentType }),
    };
    return new Promise((done, failed) => {
      const asked = request(`${this.#server}${path}`, { method, headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', failed);
        response.once('end', () => {
          const answer = Buffer.concat(chunks).toString();
          const isJson = response.headers['content-type']?.startsWith('application/json') === true;
          done({ status: response.statusCode ?? 0, body: isJson ? (JSON.parse(answer) as unknown) : answer });
        });
      });
      asked.once('error', failed);
      asked.end(text);
    });
  }

  /** As {@link send}, and an answer of 400 and more is thrown with the server's reasons. */
  async must<T = ApiObject>(
    method: string,
    path: string,
    content: { body?: unknown; contentType?: string } = {},
  ): Promise<T> {
    const { status, body } = await this.send(method, path, content);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body).slice(0, 2000)}`);
    return body as T;
  }

  /** Makes the object what is given (server-side apply), refusing unknown and duplicate fields. */
  async apply(object: ApiObject): Promise<ApiObject> {
    const query = 'fieldManager=test&force=true&fieldValidation=Strict';
    return this.must('PATCH', `${await this.pathOf(object)}?${query}`, {
      body: object,
      contentType: 'application/apply-patch+yaml',
    });
  }

  async delete(object: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<void> {
    await this.must('DELETE', await this.pathOf(object));
  }

  async pathOf({ apiVersion, kind, metadata }: Pick<ApiObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = await this.#resourceOf(base, kind);
    if (resource === undefined) throw new Error(`the API server knows no ${kind} of ${apiVersion}`);
    const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : '';
    return `${base}${namespace}/${resource.name}/${metadata.name}`;
  }

  /** What was defined a moment ago (a CRD) is served a moment later. */
  async #resourceOf(base: string, kind: string): Promise<Resource | undefined> {
    for (let tries = 0; tries < 100; tries += 1) {
      if (tries > 0) await delay(50);
      const known = this.#resources.get(base);
      const answer = known === undefined ? await this.send('GET', base) : undefined;
      const listed = answer?.status === 200 ? (answer.body as { resources: readonly Resource[] }).resources : [];
      const resource = (known ?? listed).find((one) => one.kind === kind && !one.name.includes('/'));
      if (resource !== undefined) {
        this.#resources.set(base, known ?? listed);
        return resource;
      }
      this.#resources.delete(base);
    }
    return undefined;
  }
}
