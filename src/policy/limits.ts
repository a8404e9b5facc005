/** Policies of one place, so that comparing them with images stays quick whatever a tenant writes. */
export const MAX_POLICIES = 1000;
