import type { Ask, Resolution } from './resolver.ts';

/** What is answered without looking anything up: `pin`, `none`, and `ignore-tags: "*"`. */
export function choiceResolution(ask: Ask, choice: Exclude<Ask['choice'], { kind: 'select' }>): Resolution {
  switch (choice.kind) {
    case 'pin':
      return 'tag' in choice
        ? { kind: 'pinned', tag: choice.tag, why: `pinned to ${choice.tag}`, notices: [] }
        : { kind: 'pinned', digest: choice.digest, why: `pinned to ${choice.digest}`, notices: [] };
    case 'none':
      return { kind: 'as-in-git', reason: 'none', why: 'strategy none', notices: [] };
    case 'paused': {
      const what = `${ask.label} is paused by ignore-tags "*"; it stays as in Git`;
      return {
        kind: 'as-in-git',
        reason: 'paused',
        why: what,
        notices: [{ code: 'IMAGE_PAUSED', what, where: ask.where }],
      };
    }
    default:
      return choice satisfies never;
  }
}
