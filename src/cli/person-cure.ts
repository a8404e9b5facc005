import type { ControllerFault } from '../remote/controller-fault.ts';

/** What a person can do about a fault; what the fault itself says is for who runs the sidecar. */
export function cureForPerson({ status, fix }: ControllerFault): string {
  if (status === undefined) return fix;
  switch (status) {
    case 401:
      return 'log in to the cluster again, or make a token with kubectl create token <service account> and give its file with --token-file';
    case 403:
      return 'ask for the right to get that Application (verb get on applications.argoproj.io), or name one that you may get';
    case 404:
      return 'name it as namespace/name (kubectl get applications.argoproj.io -A), and see that --controller is the address of the controller';
    default:
      return status >= 500
        ? 'try again; if it lasts, the log of the controller says why: kubectl -n argocd logs deployment/image-resolver-controller'
        : fix;
  }
}
