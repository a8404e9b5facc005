import { styleText } from 'node:util';

/** One image: where it stands, what Git says, what came out, and why. */
export interface Row {
  readonly image: string;
  readonly inGit: string;
  readonly becomes: string;
  readonly why: string;
  /** What came out the time before, where it was something else. */
  readonly before?: string;
}

type Style = 'bold' | 'dim' | 'green' | 'yellow';

/** Colours only where a person looks. */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

/** Rows under each other: the image, then Git, result and reason behind labels of one width. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ image }) => image.length));
  return rows.map((row) => entry(row, width)).join('\n');
}

function entry({ image, inGit, becomes, why, before }: Row, width: number): string {
  const same = becomes === inGit;
  const lines = [
    ['in Git', styled('dim', shortened(inGit))],
    ...(before === undefined ? [] : [['before', styled('yellow', shortened(before))]]),
    ['came out', same ? `${shortened(becomes)} ${styled('dim', '(as in Git)')}` : styled('green', shortened(becomes))],
    ['why', why],
  ];
  return lines
    .map(([label = '', text = ''], index) => {
      const name = index === 0 ? styled('bold', image) + ' '.repeat(width - image.length) : ' '.repeat(width);
      return `  ${name}  ${styled('dim', label.padEnd(8))}  ${text}`;
    })
    .join('\n');
}

/** Digests are long, and their beginnings differ. */
function shortened(reference: string): string {
  return reference.replace(/(sha256:[0-9a-f]{12})[0-9a-f]+/, '$1…');
}
