/** Formats the results of mutation tests as a page of the documentation. */
import { code, text, type Document, type Text } from '../../report/document/document.js';
import { renderMarkdown } from '../../report/document/render-markdown.js';
import type { Finding } from './judge.js';

export interface MutationResults {
  lab: string;
  /** Milliseconds. */
  duration: number;
  findings: readonly Finding[];
}

const headings: Record<Finding['of'], string> = {
  network: 'Faults of the kernel, the switch or the network',
  tools: 'Faults of macvlab’s own tools',
};

const explanations: Record<Finding['of'], Text> = {
  network: [
    ...[
      'Each must turn an experiment red: ',
      code('failed'),
      ' if the same path works for other frames, ',
      code('error'),
    ],
    ' if the lab itself is broken, because that shows nothing about macvlan.',
  ],
  tools: [
    'None may count as a failure of the kernel, and no experiment that depends on the tool may pass: the verdict is ',
    ...[code('error'), ', with a code. A tool that is late and correct changes no verdict.'],
  ],
};

/**
 * Generates `docs/data/mutation.md`.
 * @param other results of another lab, for faults that are not applicable in this one
 */
export function asMarkdown({ lab, findings }: MutationResults, other?: MutationResults): string {
  const count = (wanted: Finding['outcome']) => findings.filter(({ outcome }) => outcome === wanted).length;
  const blamed = findings.filter((finding) => finding.outcome === 'caught' && finding.blamed).length;
  const where = `On kernel ${kernelOf(findings)}, lab ${lab}`;
  const elsewhere =
    other &&
    `Faults that are not applicable there ran on kernel ${kernelOf(other.findings)}, lab ${other.lab}; the table marks them.`;
  const page: Document = {
    title: 'Mutation tests: all faults',
    lead: [
      text(
        ...[
          'Written by ',
          code('npm run mutation -- --markdown docs/data/mutation.md'),
          '. Each fault breaks a lab in one way,',
        ],
        ' and the experiments that pass without it must detect it. The faults are in ',
        ...[code('harness/proof/mutation/faults/'), '; docs/mutation.md is the summary.'],
      ),
      text(
        `${where}: ${count('caught')} caught, ${blamed} of them with the expected reason; ${count('missed')} missed; ${count('not applicable')} not applicable.`,
      ),
      ...(elsewhere === undefined ? [] : [text(elsewhere)]),
    ],
    sections: (['network', 'tools'] as const).map((of) => ({
      ...{ name: of, title: headings[of] },
      blocks: [
        { kind: 'text', text: explanations[of] },
        {
          ...{ kind: 'table', head: ['fault', 'imitates', 'result', 'detected by', 'message'] },
          rows: findings.filter((finding) => finding.of === of).map((finding) => ({ cells: cellsOf(finding, other) })),
        },
      ],
    })),
  };
  return `${renderMarkdown(page)}\n`;
}

function kernelOf(findings: readonly Finding[]): string {
  return findings.find(({ kernel }) => kernel !== '')?.kernel ?? 'none';
}

function cellsOf(finding: Finding, other?: MutationResults): Text[] {
  const elsewhere = finding.outcome === 'not applicable' && other?.findings.find(({ id }) => id === finding.id);
  const { id, imitates, outcome, blamed, by, verdict, reason } = elsewhere || finding;
  const judged = outcome === 'caught' ? `caught: ${verdict}${blamed ? '' : ', with another reason'}` : outcome;
  const result = elsewhere ? `${judged} (lab ${other?.lab})` : judged;
  return [[code(id)], ...[imitates, result, by || 'the run', reason || 'as without it'].map(steady)];
}

/** Characters of the longest reason. Longer ones are in mutation.json. */
const longest = 240;

/** The first line of a text, without the parts that vary between runs. A change of the page is then a change of a result. */
function steady(text: string): string {
  const [line = ''] = text
    .replace(/\b[0-9a-f]{16}\b/g, '…')
    .replace(/\/\S*\/\d{8}-\d{6}-[0-9a-f]{4}/g, 'the run’s folder')
    .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, (mac) => (mac.startsWith('02:00:') ? mac : '…'))
    .split('\n');
  return line.length > longest ? `${line.slice(0, longest)}…` : line;
}
