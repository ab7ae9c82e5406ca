/** The documents of other systems, as strict schemas of our own. */
import { z } from 'zod';

const words = z.string().regex(/^[^\0]*$/);
const time = z.iso.datetime({ offset: true });
const origin = z.string().regex(/^[a-z0-9_]+$/);
const id = z.string().regex(/^[a-z0-9_]+:[^\0]*$/);
const misc = z.record(z.string(), z.unknown());
const resource = z.strictObject({ name: z.string().regex(/^[^/\0]+$/), url: z.url() });
const kcidbStatus = z.enum(['FAIL', 'ERROR', 'MISS', 'PASS', 'DONE', 'SKIP']);

/** KCIDB's schema 5.3 (kcidb_io/schema/v05_03.py), as far as macvlab writes it. No other property is allowed. */
export const kcidbSchema = z.strictObject({
  version: z.strictObject({ major: z.literal(5), minor: z.literal(3) }),
  checkouts: z.array(
    z.strictObject({
      ...{ id, origin },
      git_commit_hash: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .exactOptional(),
      git_commit_name: words.exactOptional(),
      git_repository_url: z
        .string()
        .regex(/^https:\/\/[^\0]*$/)
        .exactOptional(),
      git_repository_branch: words.exactOptional(),
      patchset_hash: z
        .string()
        .regex(/^$|^[0-9a-f]{64}$/)
        .exactOptional(),
      comment: words.exactOptional(),
      start_time: time.exactOptional(),
      valid: z.boolean().exactOptional(),
    }),
  ),
  builds: z.array(z.strictObject({ id, checkout_id: id, origin, comment: words, status: kcidbStatus })),
  tests: z.array(
    z.strictObject({
      ...{ id, build_id: id, origin },
      path: z.string().regex(/^([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?$/),
      status: kcidbStatus,
      comment: words.exactOptional(),
      environment: z.strictObject({ comment: words, misc }).exactOptional(),
      number: z.strictObject({ value: z.number() }).exactOptional(),
      start_time: time.exactOptional(),
      duration: z.number().exactOptional(),
      log_url: z.url().exactOptional(),
      log_excerpt: words.max(16_384).exactOptional(),
      output_files: z.array(resource).exactOptional(),
      misc: misc.exactOptional(),
    }),
  ),
  issues: z.array(
    z.strictObject({
      ...{ id, origin },
      version: z.int().nonnegative(),
      report_subject: words,
      culprit: z.strictObject({ code: z.boolean(), tool: z.boolean(), harness: z.boolean() }),
      comment: words,
    }),
  ),
  incidents: z.array(
    z.strictObject({
      ...{ id, origin },
      issue_id: id,
      issue_version: z.int().nonnegative(),
      test_id: id,
      present: z.boolean(),
    }),
  ),
});

const tmtTime = z.string().regex(/^\d{2,}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+\+\d{2}:\d{2}$/);
const tmtResult = z.enum(['pass', 'fail', 'info', 'warn', 'error', 'skip', 'pending']);

/** tmt's results.yaml (tmt/schemas/results.yaml and common.yaml), as far as macvlab writes it. */
export const tmtSchema = z.array(
  z.strictObject({
    name: z.string().regex(/^\/./),
    result: tmtResult,
    'original-result': tmtResult.exactOptional(),
    note: z.array(z.string().min(1)).exactOptional(),
    log: z.array(z.string().regex(/^(?!\/|\.\.\/)[^]/)).exactOptional(),
    duration: z.string().regex(/^[0-9]{2,}:[0-5][0-9]:[0-5][0-9]$/),
    'start-time': tmtTime.exactOptional(),
    'end-time': tmtTime.exactOptional(),
  }),
);

const nipaResult = z.enum(['pass', 'skip', 'warn', 'fail']);
const nipaName = z.string().regex(/^[0-9a-zA-Z-]+$/);

/** NIPA's result file, with the fields that contest/results-collector.py reads. */
export const nipaSchema = z.strictObject({
  executor: z.string().min(1),
  branch: z.string().min(1),
  start: time,
  end: time,
  link: z.url(),
  results: z
    .array(
      z.strictObject({
        test: nipaName,
        group: z.literal('macvlab'),
        result: nipaResult,
        link: z.url(),
        time: z.number().nonnegative(),
        results: z
          .array(z.strictObject({ test: nipaName, result: nipaResult, time: z.number().nonnegative() }))
          .min(1)
          .exactOptional(),
      }),
    )
    .min(1),
});
