import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../error/user-error.ts';
import type { PolicyFileReading } from '../policy/from-file.ts';
import { type AppRoot, nameInTree, resolveInTree } from '../render/app-root.ts';
import { MAX_FILE_BYTES } from '../render/limits.ts';

export const POLICY_FILE = '.image-resolver.yaml';

/** The policy file beside the manifests; undefined when there is none. What parses it is loaded only when there is one. */
export async function readPolicyFile(root: AppRoot): Promise<PolicyFileReading | undefined> {
  const name = nameInTree(root.tree, join(root.app, POLICY_FILE));
  let bytes: Buffer;
  try {
    const path = await resolveInTree(root, POLICY_FILE, { from: 'app', what: name });
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof UserError && error.code === 'FILE_MISSING') return undefined;
    throw error;
  }
  if (bytes.length > MAX_FILE_BYTES) {
    throw new UserError('FILE_TOO_LARGE', {
      what: `${POLICY_FILE} holds ${bytes.length} bytes, and ${MAX_FILE_BYTES} is the limit`,
      where: name,
      fix: 'make it smaller',
    });
  }
  const { policiesFromFile } = await import('../policy/from-file.ts');
  return policiesFromFile(utf8(bytes, name), name);
}

function utf8(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError(
      'FILE_NOT_UTF8',
      { what: `${POLICY_FILE} is not UTF-8`, where: name, fix: 'save it as UTF-8' },
      cause,
    );
  }
}
