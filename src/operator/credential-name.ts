import { parsed, type Parsed, unparsed } from '../error/parsed.ts';

/** Where a credential comes from, as `credentials` of a registry and `pull-secret` of an image say it. */
export type CredentialSource =
  /** An image pull secret: docker configuration with one or more registries. */
  | { readonly kind: 'pullsecret'; readonly namespace: string; readonly name: string }
  /** One field of a secret, holding `user:password`. */
  | { readonly kind: 'secret'; readonly namespace: string; readonly name: string; readonly field: string }
  /** A variable of the resolver's own environment, holding `user:password`. */
  | { readonly kind: 'env'; readonly variable: string }
  /** A program that prints `user:password`. */
  | { readonly kind: 'ext'; readonly path: string };

// Kubernetes' own grammar of names, so that no name can be a way out of the secrets folder.
// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const FIELD = /^(?!\.\.)[-._a-zA-Z0-9]{1,253}$/;
const VARIABLE = /^[a-zA-Z_][a-zA-Z0-9_]{0,255}$/;

const FORMS =
  'write pullsecret:<namespace>/<name> or secret:<namespace>/<name>#<field>; the operator also env:<NAME> or ext:</path>';

/** Parses the name of a credential as argocd-image-updater writes it. */
export function parseCredentialName(written: string): Parsed<CredentialSource> {
  const colon = written.indexOf(':');
  const rest = written.slice(colon + 1);
  switch (written.slice(0, Math.max(0, colon)).toLowerCase()) {
    case 'pullsecret': {
      const secret = parseSecretName(rest);
      return secret === undefined ? wrong() : parsed({ kind: 'pullsecret', ...secret });
    }
    case 'secret': {
      const hash = rest.indexOf('#');
      const secret = parseSecretName(rest.slice(0, Math.max(0, hash)));
      const field = rest.slice(hash + 1);
      return secret === undefined || !isFieldName(field) ? wrong() : parsed({ kind: 'secret', ...secret, field });
    }
    case 'env':
      return VARIABLE.test(rest) ? parsed({ kind: 'env', variable: rest }) : wrong();
    case 'ext':
      return rest.startsWith('/') && !rest.includes('\0') ? parsed({ kind: 'ext', path: rest }) : wrong();
    default:
      return wrong();
  }
}

function wrong(): Parsed<never> {
  return unparsed('is not the name of a credential', FORMS);
}

function parseSecretName(text: string): { readonly namespace: string; readonly name: string } | undefined {
  const [namespace = '', name = '', ...more] = text.split('/');
  return more.length === 0 && LABEL.test(namespace) && isObjectName(name) ? { namespace, name } : undefined;
}

function isObjectName(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}

function isFieldName(text: string): boolean {
  return FIELD.test(text) && text !== '.';
}

/** The one spelling of a source: its identity in keys and messages, and what grants are compared with. */
export function credentialId(source: CredentialSource): string {
  switch (source.kind) {
    case 'pullsecret':
      return `pullsecret:${source.namespace}/${source.name}`;
    case 'secret':
      return `secret:${source.namespace}/${source.name}#${source.field}`;
    case 'env':
      return `env:${source.variable}`;
    case 'ext':
      return `ext:${source.path}`;
    default:
      return source satisfies never;
  }
}

/** Whether a credential is read from this Kubernetes secret. @param id from {@link credentialId}. */
export function isOfSecret(id: string, namespace: string, name: string): boolean {
  const secret = `${namespace}/${name}`;
  return id === `pullsecret:${secret}` || id.startsWith(`secret:${secret}#`);
}
