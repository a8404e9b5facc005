/** Orders tags as Go orders strings, by bytes. A tag is ASCII, and there JavaScript's order of code units is the same. */
export function compareBytes(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
