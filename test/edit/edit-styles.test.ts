import { describe, expect, test } from 'vitest';
import { findImages } from '../../src/edit/find-fields.ts';
import { planEdits } from '../../src/edit/plan-edits.ts';
import { codeOf, DIGEST, edited, fieldsOf, pod, retagged, tag } from './editing.ts';

describe('writes in the style that is there', () => {
  test.for([
    { name: 'plain', image: 'nginx:1.25', want: 'nginx:1.26' },
    { name: 'plain with a comment', image: 'nginx:1.25 # pinned', want: 'nginx:1.26 # pinned' },
    { name: 'plain with blanks before and behind', image: '   nginx:1.25  ', want: '   nginx:1.26  ' },
    { name: 'plain on the next line', image: '\n      nginx:1.25', want: '\n      nginx:1.26' },
    { name: 'single quotes', image: "'nginx:1.25' # c", want: "'nginx:1.26' # c" },
    { name: 'double quotes', image: '"nginx:1.25"', want: '"nginx:1.26"' },
    { name: 'double quotes with escapes', image: String.raw`"nginx\x3a1.25"`, want: '"nginx:1.26"' },
    { name: 'double quotes over two lines', image: '"nginx:\\\n      1.25"', want: '"nginx:1.26"' },
    { name: 'folded', image: '>-\n      nginx:1.25', want: '>-\n      nginx:1.26' },
    { name: 'folded without strip', image: '>\n      nginx:1.25', want: '>\n      nginx:1.26' },
    { name: 'literal with comment', image: '|- # c\n        nginx:1.25', want: '|- # c\n        nginx:1.26' },
    { name: 'literal with indicator', image: '|2-\n      nginx:1.25', want: '|2-\n      nginx:1.26' },
    { name: 'literal that keeps newlines', image: '|+\n      nginx:1.25\n\n', want: '|+\n      nginx:1.26\n\n' },
    { name: 'a string tag', image: '!!str nginx:1.25', want: '!!str nginx:1.26' },
    {
      name: 'a verbatim string tag',
      image: '!<tag:yaml.org,2002:str> nginx:1.25',
      want: '!<tag:yaml.org,2002:str> nginx:1.26',
    },
    { name: 'a non-specific tag', image: '! "nginx:1.25"', want: '! "nginx:1.26"' },
    { name: 'an anchor nothing else names', image: '&img nginx:1.25', want: '&img nginx:1.26' },
    { name: 'an anchor and a tag', image: '!!str &img "nginx:1.25"', want: '!!str &img "nginx:1.26"' },
    { name: 'a port', image: 'localhost:5000/a/b', want: 'localhost:5000/a/b:1.26' },
    { name: 'an IPv6 host', image: '"[::1]:5000/a:1"', want: '"[::1]:5000/a:1.26"' },
    { name: 'a digest', image: `nginx:1.25@${DIGEST}`, want: 'nginx:1.26' },
    { name: 'nothing but a repository', image: 'docker.io/library/nginx', want: 'docker.io/library/nginx:1.26' },
    { name: 'a constraint', image: '"nginx:~1.25"', want: '"nginx:1.26"' },
  ])('$name', ({ image, want }) => {
    expect(retagged(pod(image), '1.26')).toBe(pod(want));
    expect(retagged(pod(image).replaceAll('\n', '\r\n'), '1.26')).toBe(pod(want).replaceAll('\n', '\r\n'));
  });

  test.for([
    {
      name: 'a flow map',
      text: '{apiVersion: v1, kind: Pod, spec: {containers: [{name: app, image: nginx:OLD}]}} # c\n',
    },
    {
      name: 'JSON on one line',
      text: '{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"image":"nginx:OLD","name":"a"}]}}',
    },
    {
      name: 'JSON over lines',
      text: '{\n\t"apiVersion": "v1",\n\t"kind": "Pod",\n\t"spec": {\n\t\t"containers": [\n\t\t\t{"image": "nginx:OLD"}\n\t\t]\n\t}\n}\n',
    },
    { name: 'an explicit key', text: pod('').replace('image: ', '? image\n    : nginx:OLD') },
    { name: 'a quoted key', text: pod('').replace('image: ', '"image": nginx:OLD') },
    {
      name: 'a quoted key with an escape',
      text: pod('').replace('image: ', String.raw`"im\x61ge": nginx:OLD`),
    },
    {
      name: 'a key of JSON with an escape',
      text: String.raw`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"\u0069mage":"nginx:OLD"}]}}`,
    },
    { name: 'a key over two lines', text: pod('').replace('image: ', '? "im\\\n        age"\n    : nginx:OLD') },
    { name: 'a blank before the colon', text: pod('').replace('image: ', 'image : nginx:OLD') },
    {
      name: 'the image first in its list item',
      text: 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: nginx:OLD\n      name: app\n',
    },
    {
      name: 'no newline at the end',
      text: 'apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: app\n    image: nginx:OLD',
    },
    { name: 'a byte order mark', text: `\uFEFF${pod('nginx:OLD')}` },
    { name: 'directives', text: `%YAML 1.1\n%TAG ! tag:example.com,2000:\n---\n${pod('nginx:OLD')}...\n` },
    { name: 'comments between the keys', text: pod('nginx:OLD').replaceAll('\n', '\n# image: nginx:1.25\n') },
    { name: 'tabs between key and value', text: pod('\t nginx:OLD\t# c') },
    {
      name: 'a block scalar full of images',
      text: pod('nginx:OLD').replace('  name: web', '  name: >-\n    x\n    image: a:1\n   # c'),
    },
    { name: 'letters beyond ASCII', text: pod('nginx:OLD').replace('--flag', '--grüße=☃😀') },
  ])('$name', ({ text }) => {
    expect(retagged(text.replace('OLD', '1.25'), '1.26')).toBe(text.replace('OLD', '1.26'));
  });
});

describe('says what the field holds', () => {
  test.for([
    {
      name: 'tag and digest',
      image: 'nginx:1.25',
      write: { tag: tag('1.26'), digest: DIGEST },
      want: `nginx:1.26@${DIGEST}`,
    },
    { name: 'the digest alone', image: 'nginx:1.25', write: { digest: DIGEST }, want: `nginx@${DIGEST}` },
    {
      name: 'the repository as it was written',
      image: 'index.docker.io/library/nginx:1',
      write: { tag: tag('2') },
      want: 'index.docker.io/library/nginx:2',
    },
    { name: 'a first letter that is a digit', image: '3scale/zync:1', write: { tag: tag('2') }, want: '3scale/zync:2' },
    {
      name: 'quotes where a plain value would be a bracket',
      image: '>-\n      [::1]/a:1',
      write: { tag: tag('2') },
      want: '>-\n      [::1]/a:2',
    },
  ])('$name', ({ image, write, want }) => {
    expect(edited(pod(image), () => write)).toBe(pod(want));
  });

  test('an edit that changes nothing leaves every byte', () => {
    const text = pod(String.raw`"nginx\x3a1.25"`);
    expect(retagged(text, '1.25')).toBe(text);
  });

  test.for([
    { name: 'an empty value', image: '' },
    { name: 'an empty text', image: '""' },
    { name: 'null', image: 'null' },
    { name: 'a tilde', image: '~' },
    { name: 'a map', image: '{repository: nginx}' },
    { name: 'a list', image: '[nginx]' },
    { name: 'a value of another type', image: '!!binary bmdpbng=' },
  ])('$name is no image', ({ image }) => {
    expect(fieldsOf(pod(image))).toEqual([]);
  });

  test.for([
    { name: 'a number', image: '1.0e3..' },
    { name: 'a template that was not filled in', image: '"{{ .Values.image }}"' },
    { name: 'two words', image: 'nginx latest' },
    { name: 'two lines', image: '|-\n      nginx\n      latest' },
    { name: 'upper case', image: 'Nginx:1' },
  ])('$name is found without a reference', ({ image }) => {
    const found = fieldsOf(pod(image));
    expect(found).toHaveLength(1);
    expect(() => retagged(pod(image), '1')).toThrow('holds no reference');
  });
});

describe('refuses', () => {
  test.for([
    { name: 'a tag with a newline', write: { tag: 'x"\n  privileged: true' } },
    { name: 'a tag with a blank', write: { tag: 'a b' } },
    { name: 'an empty tag', write: { tag: '' } },
    { name: 'a tag that is too long', write: { tag: 'a'.repeat(129) } },
    { name: 'a digest with a newline', write: { digest: `${DIGEST}\n` } },
    { name: 'neither tag nor digest', write: {} },
  ])('$name', ({ write }) => {
    expect(() => edited(pod('nginx'), () => write as never)).toThrow('no legal tag or digest');
  });

  test('an image whose key is written twice', () => {
    const text = pod('nginx:1\n    image: nginx:2');
    expect(fieldsOf(text)).toEqual([['spec.containers[0].image', 'nginx:2']]);
    expect(codeOf(() => retagged(text, '3'))).toBe('MANIFEST_INVALID');
  });

  test('a list of containers that is written twice', () => {
    expect(codeOf(() => retagged(`${pod('nginx:1')}  containers:\n  - image: nginx:2\n`, '3'))).toBe(
      'MANIFEST_INVALID',
    );
  });

  test('a field that is not in the rendering', () => {
    const rendering = findImages(pod('nginx:1'), { rules: [] });
    const [field] = findImages(
      `---
---
${pod('nginx:1')}`,
      { rules: [] },
    ).findings.fields;
    const writes = new Map(field && [[field.id, { tag: tag('2') }]]);
    expect(() => planEdits(rendering, writes)).toThrow('no field 1:spec.containers[0].image');
  });
});
