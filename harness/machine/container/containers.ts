/** Requests to an engine about its containers and images. */
import type { Socket } from 'node:net';
import { z } from 'zod';
import { MacvlabError } from '../../core/error.js';
import { type Engine, RequestRefusal } from './engine.js';

/** The version that an engine reports. */
export interface EngineVersion {
  /** "20.10.24". */
  version: string;
  /** "1.41". */
  api: string;
  /** "linux". */
  system: string;
  /** "amd64". */
  architecture: string;
}

const versionAnswer = z.looseObject({
  Version: z.string(),
  ApiVersion: z.string(),
  Os: z.string(),
  Arch: z.string(),
});

/** @param deadline milliseconds */
export async function versionOf(engine: Engine, deadline?: number): Promise<EngineVersion> {
  const request = { what: 'tell its version', path: '/version', ...(deadline !== undefined && { deadline }) };
  const { Version, ApiVersion, Os, Arch } = read(versionAnswer, await engine.ask(request), 'version');
  return { version: Version, api: ApiVersion, system: Os, architecture: Arch };
}

const infoAnswer = z.looseObject({ SecurityOptions: z.array(z.string()).nullish() });

/** The security modules with which an engine confines containers: "apparmor", "seccomp". */
export async function confinementOf(engine: Engine): Promise<string[]> {
  const answer = read(infoAnswer, await engine.ask({ what: 'tell about itself', path: '/info' }), 'information');
  return (answer.SecurityOptions ?? []).flatMap((option) => /^name=(\w+)/.exec(option)?.[1] ?? []);
}

/** Whether an engine has an image. */
export async function hasImage(engine: Engine, name: string): Promise<boolean> {
  try {
    await engine.ask({ what: `look for the image ${name}`, path: `/images/${encodeURIComponent(name)}/json` });
    return true;
  } catch (error) {
    if (error instanceof RequestRefusal && error.status === 404) return false;
    throw error;
  }
}

/** Milliseconds for an engine to import an image, including its transfer. */
const importDeadline = 300_000;

/**
 * Imports an image into an engine; a tar file is its only layer.
 * @throws RequestRefusal, also when the import fails after it has begun
 */
export async function importImage(engine: Engine, file: string, repository: string, tag: string): Promise<void> {
  const what = `import the image ${repository}:${tag}`;
  const query = { fromSrc: '-', repo: repository, tag };
  const request = { what, method: 'POST', path: '/images/create', query, file, deadline: importDeadline } as const;
  const answer = await engine.askText(request);
  const failure = /^.*"error(?:Detail)?".*$/m.exec(answer)?.[0];
  if (failure !== undefined) throw new RequestRefusal(what, 200, failure);
}

/** A container in an engine's list. */
export interface ListedContainer {
  id: string;
  /** "macvlab-1a2b3c4d-node1". */
  name: string;
  labels: Readonly<Record<string, string>>;
  /** "created", "running", "exited", "removing", "dead". */
  state: string;
  /** Seconds since 1970, by the engine's clock. */
  created: number;
}

const listAnswer = z.array(
  z.looseObject({
    Id: z.string(),
    Names: z.array(z.string()).nullish(),
    Labels: z.record(z.string(), z.string()).nullish(),
    State: z.string(),
    // podman sends a number, or ISO 8601.
    Created: z.union([z.number(), z.string().transform((date) => Date.parse(date) / 1000)]),
  }),
);

/** All containers with a label, in any state. @param label a label's name, or "name=value" */
export async function listContainers(engine: Engine, label: string, deadline?: number): Promise<ListedContainer[]> {
  const query = { all: 'true', filters: JSON.stringify({ label: [label] }) };
  const request = {
    what: 'list containers',
    path: '/containers/json',
    query,
    ...(deadline !== undefined && { deadline }),
  };
  return read(listAnswer, await engine.ask(request), 'list of containers').map((each) => ({
    id: each.Id,
    name: each.Names?.[0]?.replace(/^\//, '') ?? each.Id.slice(0, 12),
    labels: each.Labels ?? {},
    state: each.State,
    created: each.Created,
  }));
}

/** Removes a container and its processes. A container that is gone or being removed is no error. */
export async function removeContainer(engine: Engine, id: string): Promise<void> {
  const request = { what: `remove container ${id.slice(0, 12)}`, method: 'DELETE', path: `/containers/${id}` } as const;
  try {
    await engine.askText({ ...request, query: { force: 'true', v: 'true' } });
  } catch (error) {
    if (error instanceof RequestRefusal && (error.status === 404 || error.status === 409)) return;
    throw error;
  }
}

/** A connection with a container's first process: data written to it is the process's standard input, which ends with the connection. */
export async function attachInput(engine: Engine, id: string): Promise<Socket> {
  const query = { stream: 'true', stdin: 'true', stdout: 'false', stderr: 'false' };
  const what = `attach to container ${id.slice(0, 12)}`;
  return engine.connect({ what, method: 'POST', path: `/containers/${id}/attach`, query });
}

const execAnswer = z.looseObject({ Id: z.string() });

/**
 * Starts a command in a running container as root, and returns the connection with it. Data written to it is the
 * command's standard input. Data read from it is the command's output, in docker's frames (see multiplexed.ts).
 */
export async function execute(engine: Engine, id: string, argv: readonly string[]): Promise<Socket> {
  const what = `run ${argv[0]} in container ${id.slice(0, 12)}`;
  const body = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: false, User: '0', Cmd: argv };
  const made = await engine.ask({ what, method: 'POST', path: `/containers/${id}/exec`, body });
  const path = `/exec/${read(execAnswer, made, 'command').Id}/start`;
  return engine.connect({ what, method: 'POST', path, body: { Detach: false, Tty: false } });
}

function read<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new MacvlabError('ENGINE_REFUSED', `the container engine’s ${what} cannot be read`, {
    evidence: z.prettifyError(parsed.error),
    next: 'see that DOCKER_HOST names an engine of docker or podman',
  });
}
