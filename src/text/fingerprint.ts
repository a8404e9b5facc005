/**
 * A short name of a text: equal texts have equal ones, and different texts almost never do. Not for security: whoever can
 * choose a text can make two that share one. It costs nothing to load, unlike `node:crypto`.
 *
 * @see https://github.com/bryc/code/blob/master/jshash/experimental/cyrb53.js (public domain)
 */
export function fingerprint(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
  return `${hex(high)}${hex(low)}${text.length.toString(16)}`;
}
