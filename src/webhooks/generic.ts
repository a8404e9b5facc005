import * as v from 'valibot';
import { hasSecretHeader, headerOf, isSignedInHex } from './authentication.ts';
import { shaped } from './fields.ts';
import { imageOf, type NamedImage } from './named-image.ts';
import { images, type Sender, UNKNOWN_SHAPE } from './sender.ts';

const delivery = v.object({ images: v.array(v.string()) });
const SIGNATURE = 'x-image-resolver-signature';

/**
 * Our own form, for pipelines and registries without a type of their own: `{"images": ["registry.example.com/team/app:1.2.3"]}`.
 * A signature that is sent must be right; without one the secret itself is taken.
 */
export const generic: Sender = {
  isAuthentic(request, secret) {
    return headerOf(request, SIGNATURE) === undefined
      ? hasSecretHeader(request, 'authorization', secret)
      : isSignedInHex(request, SIGNATURE, secret);
  },
  read(event) {
    const found = shaped(delivery, event);
    if (found === undefined) return UNKNOWN_SHAPE;
    const named = found.images.map(imageOf).filter((image): image is NamedImage => image !== undefined);
    // Whoever wrote this by hand wants to know that all of it is wrong.
    const isAllWrong = named.length === 0 && found.images.length > 0;
    return isAllWrong ? { kind: 'invalid', problem: 'names no image that can be read' } : images(named);
  },
};
