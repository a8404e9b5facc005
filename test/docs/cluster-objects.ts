// Objects that a page shows to operators fit to those of manifests/controller.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Fields, fieldsList, fieldsOf, textOf } from './fields.ts';
import { PROJECT } from './markdown.ts';

function textOfManifest(file: string): string {
  return readFileSync(join(PROJECT, 'manifests/controller', file), 'utf8');
}

export function manifest(file: string): readonly Fields[] {
  return parseAllDocuments(textOfManifest(file)).map((document) => fieldsOf(document.toJS()));
}

/** The Role for Secrets that rbac.yaml shows in a comment. */
function shownRole(): Fields {
  const comment = /^# (apiVersion: rbac[^]*)/m.exec(textOfManifest('rbac.yaml'))?.[1] ?? '';
  const [role] = parseAllDocuments(comment.replaceAll(/^# ?/gm, ''));
  return fieldsOf(role?.toJS());
}

/** A Role lets the controller read Secrets by name, with the verbs of the manifests and no others. */
export function checkRole(value: Fields): void {
  const grants = (role: Fields): unknown =>
    fieldsList(role['rules']).map(({ apiGroups, resources, verbs }) => ({ apiGroups, resources, verbs }));
  expect(grants(value)).toEqual(grants(shownRole()));
  for (const { resourceNames } of fieldsList(value['rules'])) expect(resourceNames).not.toEqual([]);
  for (const { resourceNames } of fieldsList(value['rules'])) expect(resourceNames).toBeInstanceOf(Array);
}

/** A RoleBinding gives a Role that stands beside it to the controller's account. */
export function checkRoleBinding(value: Fields, beside: readonly Fields[]): void {
  const nameOf = ({ metadata }: Fields): unknown => fieldsOf(metadata)['name'];
  const roles = beside.filter(({ kind }) => kind === 'Role').map(nameOf);
  expect(roles).toContain(fieldsOf(value['roleRef'])['name']);
  const account = manifest('rbac.yaml').find(({ kind }) => kind === 'ServiceAccount');
  expect(fieldsList(value['subjects']).map(({ name }) => name)).toEqual([account && nameOf(account)]);
}

/** An Ingress lets nothing in but webhooks. */
export function checkIngress(value: Fields): void {
  const rules = fieldsList(fieldsOf(value['spec'])['rules']);
  const paths = rules.flatMap((rule) => fieldsList(fieldsOf(rule['http'])['paths']));
  expect(paths.length).toBeGreaterThan(0);
  for (const { path, backend } of paths) {
    expect(textOf(path)).toMatch(/^\/webhook\//);
    const { name, port } = fieldsOf(fieldsOf(backend)['service']);
    const service = manifest('service.yaml').find(({ metadata }) => fieldsOf(metadata)['name'] === name);
    const ports = fieldsList(fieldsOf(service?.['spec'])['ports']);
    expect(ports).toMatchObject([{ name: fieldsOf(port)['name'], targetPort: 'webhooks' }]);
  }
}

/** A Certificate is for the name that sidecars call, and in the Secret that the controller mounts. */
export function checkCertificate(value: Fields): void {
  const { secretName, dnsNames } = fieldsOf(value['spec']);
  expect(textOfManifest('deployment.yaml')).toContain(`name: ${textOf(secretName)}\n`);
  const services = manifest('service.yaml').map(({ metadata }) => textOf(fieldsOf(metadata)['name']));
  const names = services.map((name) => `${name}.${textOf(fieldsOf(value['metadata'])['namespace'])}.svc`);
  expect(names).toEqual(expect.arrayContaining(dnsNames as string[]));
}
