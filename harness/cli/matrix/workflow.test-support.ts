/** A workflow of GitHub Actions as data, and its expressions, read and evaluated by GitHub's own parser. */
import { readFileSync } from 'node:fs';
import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import { JSONObjectReader } from '@actions/workflow-parser/templates/json-object-reader';
import { TemplateSchema } from '@actions/workflow-parser/templates/schema/template-schema';
import { TemplateContext, TemplateValidationErrors } from '@actions/workflow-parser/templates/template-context';
import { readTemplate } from '@actions/workflow-parser/templates/template-reader';
import { NoOperationTraceWriter } from '@actions/workflow-parser/templates/trace-writer';
import { WORKFLOW_ROOT } from '@actions/workflow-parser/workflows/workflow-constants';
import { YamlObjectReader } from '@actions/workflow-parser/workflows/yaml-object-reader';
import { parse } from 'yaml';

export interface Step {
  id?: string;
  name?: string;
  if?: string;
  uses?: string;
  with?: Record<string, string | number | boolean>;
  run?: string;
  env?: Record<string, string>;
  'timeout-minutes'?: number;
}

export interface WorkflowJob {
  name?: string;
  needs?: string | string[];
  if?: string;
  'runs-on': string;
  container?: string | { image: string; options?: string };
  'timeout-minutes'?: number;
  permissions?: Record<string, string>;
  outputs?: Record<string, string>;
  strategy?: { 'fail-fast': boolean; matrix: string };
  steps: Step[];
}

export interface Workflow {
  on: {
    schedule: { cron: string }[];
    workflow_dispatch: { inputs: Record<string, { type: string; default: string }> };
  };
  permissions: Record<string, string>;
  concurrency: { group: string; 'cancel-in-progress': boolean };
  defaults: { run: { shell: string } };
  env: Record<string, string>;
  jobs: Record<string, WorkflowJob>;
}

export function readWorkflow(file: string): Workflow {
  return parse(readFileSync(file, 'utf8')) as Workflow;
}

/**
 * The problems that GitHub's own parser finds in a workflow. This function assembles the parser from its parts: the
 * package's parseWorkflow() imports its schema in a way that only bundlers support.
 */
export function problemsOf(content: string): string[] {
  const parser = import.meta.resolve('@actions/workflow-parser/templates/template-reader');
  const schema = readFileSync(new URL('../workflow-v1.0.min.json', parser), 'utf8');
  const context = new TemplateContext(
    new TemplateValidationErrors(),
    TemplateSchema.load(new JSONObjectReader(undefined, schema)),
    new NoOperationTraceWriter(),
  );
  const file = context.getFileId('workflow.yml');
  const reader = new YamlObjectReader(file, content);
  for (const { message, range } of reader.errors) context.error(file, message, range);
  if (reader.errors.length === 0) readTemplate(context, WORKFLOW_ROOT, reader, file);
  return context.errors.getErrors().map(({ message }) => message);
}

/** The jobs that a job needs, as a list. */
export function needsOf({ needs = [] }: WorkflowJob): string[] {
  return [needs].flat();
}

/** An expression without the braces, and its position: "jobs.plan.steps.1.env.KERNELS". */
export interface Expression {
  path: string;
  text: string;
}

/** All expressions in a value, at any depth. A condition is one with or without braces. */
export function expressionsIn(value: unknown, path = ''): Expression[] {
  if (typeof value === 'string') {
    const braced = [...value.matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, text = '']) => ({ path, text: text.trim() }));
    return braced.length === 0 && path.endsWith('.if') ? [{ path, text: value.trim() }] : braced;
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => expressionsIn(child, path === '' ? key : `${path}.${key}`));
}

/** The dotted names in an expression: "needs.plan.outputs.matrix"; for a function, its name with parentheses: "cancelled()". */
export function namesIn(expression: string): string[] {
  const withoutTexts = expression.replace(/'(?:[^']|'')*'/g, "''");
  return [...withoutTexts.matchAll(/[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*(?:\()?/g)]
    .map(([name]) => (name.endsWith('(') ? `${name})` : name))
    .filter((name) => !['true', 'false', 'null'].includes(name));
}

/** The contexts of an expression: "needs", "matrix" ... */
export type Contexts = Record<string, unknown>;

/** The value of an expression; `cancelled` and similar functions depend on the results so far. */
function evaluate(expression: string, contexts: Contexts, failed = false): unknown {
  const status = { success: !failed, failure: failed, cancelled: false, always: true };
  const functions = Object.entries(status).map(([name, value]) => ({
    ...{ name, minArgs: 0, maxArgs: 0 },
    call: () => new data.BooleanData(value),
  }));
  const parser = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions);
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  const named = new Map(functions.map((definition) => [definition.name, definition]));
  const result = new Evaluator(parser.parse(), values, named).evaluate();
  return JSON.parse(JSON.stringify(result, data.replacer)) as unknown;
}

/** A text with the values of its expressions. */
export function filledIn(text: string, contexts: Contexts): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_, expression: string) => {
    const value = evaluate(expression.trim(), contexts);
    return value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  });
}

/** Whether a step or job runs: without a status function, only if nothing has failed. */
export function isPerformed(condition: string | undefined, contexts: Contexts, failed: boolean): boolean {
  const expression = (condition ?? 'success()').replace(/^\$\{\{(.*)\}\}$/s, '$1').trim();
  const saysWhen = /\b(?:success|failure|cancelled|always)\(/.test(expression);
  const value = evaluate(expression, contexts, failed);
  return Boolean(value) && (saysWhen || !failed);
}
