/**
 * Every error and notice code, with the sentence that heads its entry in docs/errors.md. A code is stable: people search
 * for it and alert on it. Grouped by who can mend it.
 */
export const ERROR_CODES = {
  // What the application team wrote.
  PARAMETER_UNKNOWN: 'A plugin parameter has a name this plugin does not know.',
  PARAMETER_INVALID: 'A plugin parameter has the wrong type or a value that cannot be used.',
  PARAMETERS_UNREADABLE: 'ARGOCD_APP_PARAMETERS is not the JSON that Argo CD sends.',
  NATIVE_FEATURE_UNAVAILABLE: 'A native Argo CD feature was asked for that a plugin source cannot have.',
  SETTING_UNKNOWN: 'An image setting has a name this plugin does not know.',
  SETTING_INVALID: 'An image setting has a value that cannot be used.',
  REFERENCE_INVALID: 'An image reference cannot be parsed.',
  ALIAS_DUPLICATE: 'Two image policies of one place have the same alias.',
  CONSTRAINT_INVALID: 'A version constraint cannot be parsed.',
  CONSTRAINT_MISSING: 'A strategy needs a constraint or filter that is not there.',
  FILTER_INVALID: 'A tag filter (regular expression or glob) cannot be used.',
  FILTER_TOO_SLOW: 'Selecting from the tags takes longer, or more memory, than one policy may use.',
  PLATFORM_INVALID: 'A platform is not of the form os/arch[/variant].',
  STRATEGY_UNKNOWN: 'An update strategy has a name this plugin does not know.',
  POLICY_FILE_INVALID: '.image-resolver.yaml is not valid.',
  POLICY_UNMATCHED: 'An image policy matches no image of the rendered manifests.',
  POLICY_AMBIGUOUS: 'Two image policies match the same image field.',
  POLICY_SHADOWED: 'An image policy is not used because a higher place has one for the same image.',
  SETTING_WITHOUT_MEANING: 'A setting of argocd-image-updater that has no meaning without write-back was given.',
  PARAMETER_IGNORED: 'A parameter is for another renderer than the one in use.',
  PARAMETER_OVERRIDDEN: 'A Helm parameter sets a value that an image policy sets; the policy wins.',
  INTERVAL_RAISED: 'A poll interval is shorter than the operator allows and was raised.',
  IMAGE_PAUSED: 'An image is paused by ignore-tags "*".',
  IMAGE_OBSERVED: 'An image would change, and mode observe leaves it as in Git.',
  CONSTRAINT_IN_TAG: 'A constraint stands in the tag position of an image field; it passes as written.',
  FIELD_UNPARSABLE: 'An image field holds no image reference; it passes as written.',

  // What is in the Git tree.
  PATH_OUTSIDE_TREE: 'A path leads out of the application repository.',
  FILE_MISSING: 'A file that is needed is not there.',
  FILE_TOO_LARGE: 'A file is larger than the limit.',
  FILE_NOT_UTF8: 'A file is not UTF-8 text.',
  SOURCE_REFUSED: 'A manifest source (base, chart, values) may not be loaded from where it is.',
  RENDERER_UNKNOWN: 'The renderer asked for is not one of helm, kustomize, directory.',
  RENDERER_MISSING: 'The program that renders (kustomize, helm, jsonnet) is not installed.',
  RENDER_FAILED: 'kustomize, helm or jsonnet ended with an error.',
  RENDER_TIMEOUT: 'Rendering did not end within the budget.',
  RENDER_TOO_LARGE: 'The rendered manifests are larger than the limit.',
  RENDER_EMPTY: 'The renderer printed nothing.',
  RENDER_WARNING: 'The renderer printed warnings.',
  MANIFEST_INVALID: 'A rendered document is not valid YAML or JSON.',
  MANIFEST_TOO_DEEP: 'A document is nested deeper than the limit.',
  ANCHOR_SHARED: 'An image value is a YAML anchor that something else shares.',
  EDIT_UNSAFE: 'An edit would have changed more than the image values.',

  // What the registry answered.
  TAG_NOT_FOUND: 'No tag of the repository satisfies the policy.',
  REPOSITORY_NOT_FOUND: 'The registry does not know the repository.',
  MANIFEST_NOT_FOUND: 'The registry does not know the tag or digest.',
  REGISTRY_UNAUTHORIZED: 'The registry wants credentials, or refused those that were sent.',
  REGISTRY_DENIED: 'The registry refused access to the repository.',
  REGISTRY_THROTTLED: 'The registry asked to slow down (429).',
  REGISTRY_UNAVAILABLE: 'The registry could not be reached or failed.',
  REGISTRY_INVALID: 'The registry answered something that is not the registry API.',
  REGISTRY_TOO_LARGE: 'The registry answered more than the limits allow.',
  REGISTRY_TLS: 'The TLS certificate of the registry is not trusted.',
  REGISTRY_TIMEOUT: 'The registry did not answer within the budget.',
  REGISTRY_SUSPICIOUS: 'The registry sent the client somewhere it must not go.',
  HOST_NOT_ALLOWED: 'The registry host is not one the operator allows.',
  CREDENTIAL_NOT_GRANTED: 'The named credential is not granted to this project.',
  CREDENTIAL_UNREADABLE: 'The credential for a registry could not be read.',
  CREDENTIAL_NOT_SENT: 'The registry asked for the credential to be sent to a host that is not its own.',
  ANSWER_STALE: 'The last known good answer is served because the registry could not be asked.',
  ANSWER_KEPT: 'The decision stays although the registry no longer shows its tag.',
  NOTHING_SATISFIES: 'Nothing satisfies the policy yet; the image stays as in Git.',
  BUDGET_EXCEEDED: 'The time for this generation passed before everything was known.',

  // What the controller answered.
  CONTROLLER_UNREACHABLE: 'The controller could not be asked, or what it answered cannot be used.',
  PROJECT_MISMATCH: 'The Application belongs to another AppProject than the generation says.',

  // What the operator wrote or runs.
  OPERATOR_CONFIG_INVALID: 'The operator configuration is not valid.',
  OPERATOR_CONFIG_KEPT:
    'The operator configuration is not valid any more, or not there; the one before stays in force.',
  REGISTRIES_CONF_INVALID: 'registries.conf is not valid.',
  DOCKER_CONFIG_INVALID: 'The docker configuration is not valid.',
  OUTPUT_UNWRITABLE: 'The output could not be written.',
  STORE_UNAVAILABLE: 'The store cannot be used; answers are not kept.',
  STORE_REBUILT: 'The store was damaged; it was set aside and begun anew.',
  USAGE: 'The command line is not right.',
  WORKER_ENDED: 'The worker that rendered this application ended before it was done.',
  CANCELLED: 'The command was stopped from outside.',
} as const;

/** A stable code, documented in docs/errors.md. */
export type ErrorCode = keyof typeof ERROR_CODES;
