/** One line of the result: a figure with what it is compared with. */
export interface Row {
  readonly subject: string;
  readonly figure: string;
  /** The same quantity without us, measured in the same run. */
  readonly baseline?: string;
  readonly ratio?: string;
  readonly goal?: string;
  /** Whether the figure is within its goal. */
  readonly met?: boolean;
}

const COLUMNS: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['what', ({ subject }) => subject],
  ['figure', ({ figure }) => figure],
  ['baseline', ({ baseline }) => baseline ?? ''],
  ['ratio', ({ ratio }) => ratio ?? ''],
  ['goal', ({ goal }) => goal ?? ''],
  ['', ({ met }) => (met === undefined ? '' : met ? 'met' : 'MISSED')],
];

/** The rows as text in columns. */
export function formatTable(rows: readonly Row[]): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  return cells
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
