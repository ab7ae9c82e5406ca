/** The audit as a page of the documentation. */
import type { Finding } from './judge.js';

export interface Audit {
  lab: string;
  /** Milliseconds. */
  duration: number;
  findings: readonly Finding[];
}

const headings: Record<Finding['of'], string> = {
  network: 'What the kernel, the switch or the network does wrong',
  tools: 'Trouble of macvlab’s own tools',
};

const explanations: Record<Finding['of'], string> = {
  network:
    'Each must make an experiment red: `failed` where the way is known to work for others, `error` where the lab itself is broken, so that nothing is said about macvlan.',
  tools:
    'None may ever be blamed on the kernel, and nothing that depends on the tool may pass: `error`, with a code. A tool that is late and truthful changes no verdict.',
};

/**
 * `docs/audit.md`.
 * @param other an audit in another lab, for what is not applicable in this one
 */
export function asMarkdown({ lab, findings }: Audit, other?: Audit): string {
  const count = (wanted: Finding['outcome']) => findings.filter(({ outcome }) => outcome === wanted).length;
  const blamed = findings.filter((finding) => finding.outcome === 'caught' && finding.blamed).length;
  return [
    '# Sabotage audit',
    '',
    'Made by `npm run audit -- --markdown docs/audit.md`: a lab is broken in one way at a time, behind the back of everything that',
    'uses it, and the experiments must notice: those that pass where nobody breaks anything. How each way works:',
    '`harness/audit/sabotages/`.',
    '',
    `On kernel ${kernelOf(findings)}, lab ${lab}: ${count('caught')} caught, ${blamed} of them with the reason that was expected; ${count('missed')} missed; ${count('not applicable')} not applicable.`,
    ...(other
      ? [
          `What is not applicable there: on kernel ${kernelOf(other.findings)}, lab ${other.lab}; it says so in the table.`,
        ]
      : []),
    '',
    ...(['network', 'tools'] as const).flatMap((of) => [
      ...[`## ${headings[of]}`, '', explanations[of], ''],
      ...['| sabotage | what it imitates | result | by | in words |', '|---|---|---|---|---|'],
      ...findings.filter((finding) => finding.of === of).map((finding) => row(finding, other)),
      '',
    ]),
  ].join('\n');
}

function kernelOf(findings: readonly Finding[]): string {
  return findings.find(({ kernel }) => kernel !== '')?.kernel ?? 'none';
}

function row(finding: Finding, other?: Audit): string {
  const elsewhere = finding.outcome === 'not applicable' && other?.findings.find(({ id }) => id === finding.id);
  const { id, imitates, outcome, blamed, by, verdict, reason } = elsewhere || finding;
  const judged = outcome === 'caught' ? `caught: ${verdict}${blamed ? '' : ', with another reason'}` : outcome;
  const result = elsewhere ? `${judged} (lab ${other?.lab})` : judged;
  return `| ${[`\`${id}\``, imitates, result, by || 'the run', reason || 'as without it'].map(cell).join(' | ')} |`;
}

/** Longer reasons are in audit.json. */
const longest = 240;

/** Text in a table's cell. What differs from run to run is left out, so that a change of the page is a change of a result. */
function cell(text: string): string {
  const steady = text
    .replace(/\b[0-9a-f]{16}\b/g, '…')
    .replace(/\/\S*\/\d{8}-\d{6}-[0-9a-f]{4}/g, 'the run’s folder')
    .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, (mac) => (mac.startsWith('02:00:') ? mac : '…'));
  const [line = ''] = steady.split('\n');
  const short = line.length > longest ? `${line.slice(0, longest)}…` : line;
  return short.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
