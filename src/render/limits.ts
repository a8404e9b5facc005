/** Bytes of one input file that is parsed. Argo CD's own limit for a directory of manifests is of this size too. */
export const MAX_FILE_BYTES: number = 10 * 1024 * 1024;

/** Bytes of a kustomization or plugin configuration: they are parsed before anything is started, so they delay the whole. */
export const MAX_KUSTOMIZATION_BYTES: number = 2 * 1024 * 1024;

/** Bytes a renderer may print. Argo CD keeps manifests in Redis and sends them by gRPC; nothing that large gets through. */
export const MAX_RENDERING_BYTES: number = 50 * 1024 * 1024;

/** Bytes of a child's stderr that are kept, the beginning and the end of it; the rest is read and dropped. */
export const MAX_STDERR_BYTES: number = 64 * 1024;

/** Documents in one rendering. */
export const MAX_DOCUMENTS: number = 10_000;

/** How deep YAML and JSON may nest. Real manifests stay below 40; a parser's stack ends at some thousands. */
export const MAX_NESTING: number = 100;

/** Kustomization directories that one build may reach; each costs a parse, and a tree can name itself exponentially often. */
export const MAX_KUSTOMIZATIONS: number = 1_000;

/** Files and directories that kustomizations may name, all together. */
export const MAX_KUSTOMIZE_PATHS: number = 20_000;

/** Entries (files, links, directories) of a tree that is copied or scanned; large monorepos have some ten thousands. */
export const MAX_TREE_ENTRIES: number = 200_000;

/** Bytes of a tree that is copied so that it can be edited. */
export const MAX_TREE_BYTES: number = 1024 * 1024 * 1024;

/** Symbolic links followed for one path; Linux follows 40. */
export const MAX_LINKS: number = 40;

/** Characters of a path; Linux's `PATH_MAX`. */
export const MAX_PATH_LENGTH: number = 4_096;

/** Milliseconds between SIGTERM and SIGKILL for a renderer's process group: long enough for git to remove its locks. */
export const KILL_GRACE_MS: number = 500;
