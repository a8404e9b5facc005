import { expect, test } from 'vitest';
import { parsePlatform, platformMatches } from '../../src/image/platform.ts';
import type { Platform } from '../../src/image/platform.ts';

function platform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant !== undefined && { variant }) };
}

test.for([
  { name: 'os and architecture', text: 'linux/amd64', want: 'linux/amd64' },
  { name: 'a variant', text: 'linux/arm/v7', want: 'linux/arm/v7' },
  { name: 'arm64/v8 as arm64, which is the same', text: 'linux/arm64/v8', want: 'linux/arm64' },
  { name: 'amd64/v1 as amd64', text: 'linux/amd64/v1', want: 'linux/amd64' },
  { name: 'other names of architectures', text: 'Linux/x86_64', want: 'linux/amd64' },
  { name: 'aarch64 as arm64', text: 'linux/aarch64', want: 'linux/arm64' },
  { name: 'armhf as arm/v7', text: 'linux/armhf', want: 'linux/arm/v7' },
  { name: 'a variant without its v', text: 'linux/arm/6', want: 'linux/arm/v6' },
  { name: 'spaces around it', text: ' linux/amd64 ', want: 'linux/amd64' },
])('reads $name', ({ text, want }) => {
  expect(parsePlatform(text)).toEqual({ ok: true, value: platform(want) });
});

test.for([
  '',
  'linux',
  'linux/',
  '/amd64',
  'linux/amd64/',
  'linux/arm/v7/x',
  'linux amd64',
  'linux/amd 64',
  'linux\\amd64',
  'linux/é',
])('refuses %j', (text) => {
  expect(parsePlatform(text)).toMatchObject({ ok: false, problem: expect.stringContaining('os/arch') as string });
});

test.for([
  { name: 'the same platform', wanted: 'linux/amd64', candidate: 'linux/amd64', want: true },
  { name: 'another architecture', wanted: 'linux/amd64', candidate: 'linux/arm64', want: false },
  { name: 'another system', wanted: 'linux/amd64', candidate: 'windows/amd64', want: false },
  { name: 'a variant where the wish leaves it open', wanted: 'linux/arm', candidate: 'linux/arm/v6', want: true },
  { name: 'another variant than the wanted one', wanted: 'linux/arm/v7', candidate: 'linux/arm/v6', want: false },
  { name: 'no variant where one is wanted', wanted: 'linux/arm/v6', candidate: 'linux/arm', want: false },
  { name: 'arm without variant for arm/v7', wanted: 'linux/arm/v7', candidate: 'linux/arm', want: true },
  { name: 'arm64 for arm64/v8', wanted: 'linux/arm64/v8', candidate: 'linux/arm64', want: true },
  { name: 'arm64/v8 for arm64', wanted: 'linux/arm64', candidate: 'linux/arm64/v8', want: true },
  { name: 'the unknown/unknown of an attestation', wanted: 'linux/amd64', candidate: 'unknown/unknown', want: false },
  {
    name: 'an architecture named like a property of every object',
    wanted: 'linux/amd64',
    candidate: 'linux/constructor',
    want: false,
  },
])('$name: $want', ({ wanted, candidate, want }) => {
  expect(platformMatches(platform(wanted), platform(candidate))).toBe(want);
});
