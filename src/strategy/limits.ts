/** Characters of a glob or regular expression that a user wrote. */
export const MAX_PATTERN_CHARACTERS = 512;

/** Filters of one selection. */
export const MAX_FILTERS = 32;
