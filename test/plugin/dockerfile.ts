/** One instruction of a Dockerfile: `COPY`, with the rest of its line. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** The instructions of the last stage, `FROM` first. Continued lines are joined; heredocs are not known here. */
export function lastStage(dockerfile: string): readonly Instruction[] {
  const instructions = dockerfile
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line): Instruction => {
      const [, name = '', text = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name, text };
    });
  return instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'));
}

/** `K=v K2=v2`, without quotes and spaces in values. */
export function environmentPairs(text: string): readonly (readonly [string, string])[] {
  return text
    .trim()
    .split(/\s+/)
    .map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), pair.slice(at + 1)] as const;
    });
}
