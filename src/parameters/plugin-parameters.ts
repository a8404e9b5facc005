/** What the `images` parameter holds: elements that are never split, or one text that is a comma-separated list. */
export type ImagesParameter =
  | { readonly kind: 'array'; readonly values: readonly string[] }
  | { readonly kind: 'string'; readonly value: string };

/** The plugin parameters of one application, types checked, values not. */
export interface PluginParameters {
  readonly images?: ImagesParameter;
  readonly imageSettings: ReadonlyMap<string, string>;
  /** All other parameters by name. */
  readonly strings: ReadonlyMap<string, string>;
  readonly arrays: ReadonlyMap<string, readonly string[]>;
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, string>>;
}
