import { parsed, unparsed, type Parsed } from '../error/parsed.ts';

/** `os/arch[/variant]`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const COMPONENT = /^[A-Za-z0-9_.-]{1,64}$/;

/** Other names of architectures, as containerd knows them. */
const ARCHITECTURES: ReadonlyMap<string, { readonly architecture: string; readonly variant?: string }> = new Map([
  ['i386', { architecture: '386' }],
  ['x86_64', { architecture: 'amd64' }],
  ['x86-64', { architecture: 'amd64' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armhf', { architecture: 'arm', variant: 'v7' }],
  ['armel', { architecture: 'arm', variant: 'v6' }],
]);

/** A platform as users write it, `os/arch` or `os/arch/variant`, in normal form: `linux/arm64/v8` is `linux/arm64`. */
export function parsePlatform(text: string): Parsed<Platform> {
  const [os = '', architecture = '', variant, ...more] = text.trim().split('/');
  const components = variant === undefined ? [os, architecture] : [os, architecture, variant];
  if (more.length > 0 || !components.every((component) => COMPONENT.test(component))) {
    return unparsed('is not of the form os/arch or os/arch/variant', 'write for example linux/amd64 or linux/arm/v7');
  }
  return parsed(normalise({ os, architecture, ...(variant !== undefined && { variant }) }));
}

/**
 * Whether a platform of an image serves a wanted one: the same, or the wanted one leaves the variant open.
 *
 * @param candidate as a registry tells it; its spelling is made normal first.
 */
export function platformMatches(wanted: Platform, candidate: Platform): boolean {
  const left = normalise(wanted);
  const right = withDefaultVariant(normalise(candidate));
  if (left.os !== right.os || left.architecture !== right.architecture) return false;
  return left.variant === undefined || left.variant === right.variant;
}

/**
 * Lower case, one name per architecture, and no variant that is the architecture's only meaning.
 *
 * @see https://github.com/containerd/platforms/blob/v1.0.0/database.go
 */
function normalise(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === 'macos' ? 'darwin' : platform.os.toLowerCase();
  const named = platform.architecture.toLowerCase();
  const { architecture, variant: implied } = ARCHITECTURES.get(named) ?? { architecture: named };
  const written = implied ?? platform.variant?.toLowerCase();
  const variant =
    architecture.startsWith('arm') && written !== undefined ? written.replace(/^(?=[5-9])/, 'v') : written;
  const isDefault =
    !variant || (architecture === 'arm64' && variant === 'v8') || (architecture === 'amd64' && variant === 'v1');
  return isDefault ? { os, architecture } : { os, architecture, variant };
}

/** An image for `arm` without more is one for v7; a wish for `arm` without more is open to all of them. */
function withDefaultVariant(platform: Platform): Platform {
  return platform.architecture === 'arm' && platform.variant === undefined ? { ...platform, variant: 'v7' } : platform;
}
