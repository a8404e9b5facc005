/** What `presets` in `registries.allow` stands for: well-known public registries. */
export const PRESET_HOSTS: readonly string[] = [
  'docker.io',
  'ghcr.io',
  'quay.io',
  'gcr.io',
  'registry.k8s.io',
  'public.ecr.aws',
  'mcr.microsoft.com',
  'registry.gitlab.com',
  '*.pkg.dev',
  '*.azurecr.io',
  '*.dkr.ecr.*.amazonaws.com',
];
