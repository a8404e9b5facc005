/** Things a message lists before it stops. */
const LISTED = 5;

/** Several names for a message: each once, the first few of them, and how many more there are. */
export function listed(names: readonly string[]): string {
  const different = [...new Set(names)];
  const more = different.length > LISTED ? ` and ${different.length - LISTED} more` : '';
  return `${different
    .slice(0, LISTED)
    .map((name) => name.slice(0, 120))
    .join(', ')}${more}`;
}
