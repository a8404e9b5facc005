/** An Application by its Kubernetes name. */
export interface ApplicationName {
  readonly namespace: string;
  readonly name: string;
}

const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;

/** `namespace/name`, or a name in the control plane's namespace; undefined: neither. */
export function parseApplicationName(text: string, controlPlaneNamespace: string): ApplicationName | undefined {
  const [first = '', second, ...more] = text.split('/');
  const found =
    second === undefined ? { namespace: controlPlaneNamespace, name: first } : { namespace: first, name: second };
  return more.length === 0 && NAME.test(found.namespace) && NAME.test(found.name) ? found : undefined;
}

/** As Argo CD tells it to generations: no name in Kubernetes holds `_`. */
export function instanceNameOf({ namespace, name }: ApplicationName, controlPlaneNamespace: string): string {
  return namespace === controlPlaneNamespace ? name : `${namespace}_${name}`;
}

/** The other way; undefined for what is no instance name. */
export function applicationNameOf(instanceName: string, controlPlaneNamespace: string): ApplicationName | undefined {
  return instanceName.includes('/')
    ? undefined
    : parseApplicationName(instanceName.replace('_', '/'), controlPlaneNamespace);
}
