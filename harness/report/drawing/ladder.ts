/**
 * The frames of a test as a ladder: one column per interface in the order of the path, one row per frame. A frame that
 * several interfaces saw is one arrow.
 */
import type { TestFrame, TestFrames, TestPing } from '../../run/evidence/test-frames.js';
import { html, type Html, type HtmlValue } from '../document/html.js';
import { cut } from '../width.js';

/** A ladder as coordinates, without markup. Columns count from 0. */
export interface LadderLayout {
  /** Names of the interfaces: "switch/node1". */
  columns: string[];
  rows: LadderRow[];
  /** How many frames of pings and witnesses have no row. */
  omitted: number;
}

export interface LadderRow {
  /** Packet id. */
  id: number;
  text: string;
  /** Milliseconds since the first frame. */
  time: number;
  isWitness: boolean;
  /** The way out, and the way back from an interface that the frame passed before. */
  legs: Leg[];
  lost?: Loss;
}

/** A part of a frame's way. */
export interface Leg {
  /** Where it begins. */
  from: number;
  /** The columns that saw the frame, and how often; an interface that sees a frame twice in one direction sees a copy. */
  seen: { column: number; times: number }[];
}

export interface Loss {
  last: number;
  missing: number;
  /** "not seen at switch/node1 out" */
  words: string;
}

/** How many rows a ladder has at most. */
const mostRows = 60;

/** The ladder of a test; undefined if it has no frames of pings. */
export function ladderOf({ points, pings, frames }: TestFrames): LadderLayout | undefined {
  const shown = frames.filter(({ kind }) => kind !== 'other');
  if (shown.length === 0) return undefined;
  const rows = shown.slice(0, mostRows);
  const losses = rows.flatMap(({ lostOf }) => (lostOf === undefined ? [] : (pings[lostOf]?.lost ?? [])));
  const labels = [
    ...rows.flatMap(({ seen }) => seen.map(([point]) => interfaceOf(points[point] ?? ''))),
    ...losses.flatMap(({ last, missing }) => [last, missing].flatMap((point) => (point ? interfaceOf(point) : []))),
  ];
  const columns = [...new Set(labels)].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  return {
    columns,
    rows: rows.map((frame) => rowOf(frame, points, columns, pings)),
    omitted: shown.length - rows.length,
  };
}

function rowOf(
  { id, text, kind, seen, lostOf }: TestFrame,
  points: readonly string[],
  columns: readonly string[],
  pings: readonly TestPing[],
): LadderRow {
  const sightings = seen.map(([point]) => ({ point, column: columns.indexOf(interfaceOf(points[point] ?? '')) }));
  const lost = lostOf === undefined ? undefined : pings[lostOf]?.lost;
  return {
    ...{ id, text, time: seen[0]?.[1] ?? 0, isWitness: kind === 'witness', legs: legsOf(sightings) },
    ...(lost && { lost: lossOf(lost, columns) }),
  };
}

interface ColumnSighting {
  point: number;
  column: number;
}

/** Splits a frame's way where an interface sees it in its other direction: a switch has reflected it. */
function legsOf(sightings: readonly ColumnSighting[]): Leg[] {
  const origin = sightings[0]?.column ?? 0;
  const points = new Map<number, number>();
  const turn = sightings.find(({ point, column }) => {
    const known = points.get(column);
    points.set(column, known ?? point);
    return known !== undefined && known !== point;
  });
  if (!turn) return [legOf(origin, sightings)];
  const at = sightings.indexOf(turn);
  const isBack = ({ column }: ColumnSighting, index: number) =>
    index >= at && (origin <= turn.column ? column <= turn.column : column >= turn.column);
  return [
    legOf(
      origin,
      sightings.filter((sighting, index) => !isBack(sighting, index)),
    ),
    legOf(turn.column, sightings.filter(isBack)),
  ];
}

function legOf(from: number, sightings: readonly ColumnSighting[]): Leg {
  const times = new Map<number, number>();
  for (const { point } of sightings) times.set(point, (times.get(point) ?? 0) + 1);
  const seen = [...new Set(sightings.map(({ column }) => column))].map((column) => ({
    column,
    times: Math.max(...sightings.filter((each) => each.column === column).map(({ point }) => times.get(point) ?? 1)),
  }));
  return { from, seen };
}

function lossOf({ last, missing, step }: NonNullable<TestPing['lost']>, columns: readonly string[]): Loss {
  const column = (point: string | undefined) => (point === undefined ? -1 : columns.indexOf(interfaceOf(point)));
  const lastColumn = Math.max(0, column(last));
  return {
    last: lastColumn,
    missing: missing === undefined ? lastColumn : column(missing),
    words: missing === undefined ? `${step}: no answer` : `not seen at ${missing}`,
  };
}

/** The interface of a capture point, which may be one of two directions: "switch/node1 in". */
function interfaceOf(point: string): string {
  return point.replace(/ (?:in|out)$/, '');
}

/** The order of interfaces: along the cable from node1 to node2, then to the router and what is behind it. */
function rank(label: string): number {
  const [place = '', device = '', inner] = label.split('/');
  const order = ['node1', 'node2', 'router', 'client'];
  if (place === 'switch') return [2, 3, 6][order.indexOf(device)] ?? 6;
  if (place === 'node1') return inner === undefined ? 1 : 0;
  if (place === 'node2') return inner === undefined ? 4 : 5;
  return place === 'router' ? 7 : 8;
}

/** Pixels. */
const [columnWidth, rowHeight, top, margin] = [128, 40, 46, 70];

const x = (column: number) => margin + column * columnWidth;

/** The ladder as SVG. @param title what it shows, for readers who cannot see it */
export function ladderSvg({ columns, rows, omitted }: LadderLayout, title: string): Html {
  const width = 2 * margin + Math.max(1, columns.length - 1) * columnWidth;
  const height = top + rows.length * rowHeight + 16;
  return html`<svg class="ladder" role="img" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
    <title>${title}${omitted > 0 && `; ${omitted} further frames are not drawn`}</title>
    ${columns.map((name, column) => columnSvg(name, column, height))}
    ${rows.map((row, index) => rowSvg(row, index, columns.length - 1))}
  </svg>`;
}

function columnSvg(name: string, column: number, height: number): Html {
  const [place = '', ...rest] = name.split('/');
  return html`<g class="column">
    <text x="${x(column)}" y="14">${place}</text>
    <text x="${x(column)}" y="30">${rest.join('/')}</text>
    <line x1="${x(column)}" y1="36" x2="${x(column)}" y2="${height}" />
  </g> `;
}

function rowSvg({ id, text, time, isWitness, legs, lost }: LadderRow, index: number, count: number): Html {
  const y = top + index * rowHeight + 18;
  const columns = legs.flatMap(({ from, seen }) => [from, ...seen.map(({ column }) => column)]);
  const [first, last] = [Math.min(...columns), Math.max(...columns)];
  // A text that begins on the right would not fit.
  const isRight = first * 2 > count;
  const words = `${time.toFixed(2)} ms  ${cut(text.replace(/ \([^()]*\)$/, ''), 80)}`;
  return html`<g class="${isWitness ? 'frame witness' : lost ? 'frame lost' : 'frame'}" data-frame="${id}">
    <title>${text}</title>
    <text class="${isRight ? 'end' : 'start'}" x="${x(isRight ? last : first)}" y="${y - 7}"
      >${words}${isWitness && ' (witness)'}</text
    >
    ${legs.map((leg, turn) => legSvg(leg, y + turn * 9))} ${lost && lossSvg(lost, y + 9, count)}
  </g> `;
}

function legSvg({ from, seen }: Leg, y: number): HtmlValue {
  const columns = [from, ...seen.map(({ column }) => column)];
  const [first, last] = [Math.min(...columns), Math.max(...columns)];
  return [
    html`<line x1="${x(first)}" y1="${y}" x2="${x(last)}" y2="${y}" />`,
    first < from && html`<path class="head" d="M${x(first)} ${y}l8 -4v8z" />`,
    last > from && html`<path class="head" d="M${x(last)} ${y}l-8 -4v8z" />`,
    html`<circle cx="${x(from)}" cy="${y}" r="4" />`,
    seen.map(({ column, times }) => [
      column !== from && html`<circle cx="${x(column)}" cy="${y}" r="2.5" />`,
      times > 1 && html`<text x="${x(column) + 5}" y="${y + 12}">×${times}</text>`,
    ]),
  ];
}

/** The way that the frame did not take, and a cross where it is missing. */
function lossSvg({ last, missing, words }: Loss, y: number, count: number): Html {
  const end = missing === last ? x(last) + (last > 0 ? -28 : 28) : x(missing);
  // Words behind the last columns would not fit.
  const isRight = Math.max(last, missing) > count - 2;
  return html`<g class="drop">
    <line x1="${x(last)}" y1="${y}" x2="${end}" y2="${y}" />
    <path d="M${end - 5} ${y - 5}l10 10m0 -10l-10 10" />
    ${
      isRight
        ? html`<text class="end" x="${Math.min(x(last), end) - 10}" y="${y + 4}">${words}</text>`
        : html`<text x="${Math.max(x(last), end) + 10}" y="${y + 4}">${words}</text>`
    }
  </g> `;
}
