/**
 * A client for the HTTP interface that docker and podman share (Docker Engine API). It only sends requests and reads
 * responses. testcontainers starts containers, and is loaded when a lab is opened.
 */
import { createReadStream, readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { MacvlabError, messageOf } from '../../core/error.js';
import { timeout, within } from '../../core/wait.js';
import { installCommand } from '../../setup/tools.mjs';
import type { EngineAddress } from './engine-address.js';

export interface EngineRequest {
  /** The purpose of the request, as error messages show it: "list containers". */
  what: string;
  method?: 'GET' | 'POST' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  /** Sent as JSON. */
  body?: unknown;
  /** A file that is sent instead of `body`. */
  file?: string;
  /** Milliseconds until the response is complete; default 30 s. */
  deadline?: number;
}

/** A request that an engine refused or could not fulfil. */
export class RequestRefusal extends MacvlabError {
  /** The HTTP status: 404 for a missing object, 409 for a conflict. */
  readonly status: number;

  constructor(what: string, status: number, words: string) {
    super('ENGINE_REFUSED', `the container engine could not ${what}: ${words}`, {
      next: 'do what the engine says, or use another lab: --lab sandbox, --lab vm',
    });
    this.status = status;
  }
}

export class Engine {
  readonly address: EngineAddress;
  readonly #options: https.RequestOptions;
  readonly #secure: boolean;

  /** @throws MacvlabError ENGINE_MISSING when it has no address, or the certificates that it requires cannot be read */
  constructor(address: EngineAddress) {
    this.address = address;
    const { protocol, hostname, port, pathname } = placeOf(address);
    this.#secure = address.certificates !== undefined || protocol === 'https:';
    this.#options =
      protocol === 'unix:'
        ? { socketPath: pathname }
        : { host: hostname, port: port || (this.#secure ? 2376 : 2375), ...certificates(address) };
  }

  /** Whether its connections are without TLS, so that another process can take one over. */
  get isPlain(): boolean {
    return !this.#secure;
  }

  /** Sends a request, and returns the parsed response; undefined for an empty one. @throws RequestRefusal; MacvlabError ENGINE_MISSING */
  async ask(request: EngineRequest): Promise<unknown> {
    const answer = await this.#send(request);
    if (answer === '') return undefined;
    try {
      return JSON.parse(answer) as unknown;
    } catch (error) {
      throw new MacvlabError('ENGINE_REFUSED', `the container engine’s answer is no JSON: it was to ${request.what}`, {
        evidence: answer.slice(0, 4000),
        next: 'see that DOCKER_HOST names an engine of docker or podman',
        cause: error,
      });
    }
  }

  /** Sends a request, and returns the response as text. @throws as {@link ask} */
  async askText(request: EngineRequest): Promise<string> {
    return this.#send(request);
  }

  /** Requests a connection with a process in a container; the request's own connection becomes it. @throws as {@link ask} */
  async connect(request: EngineRequest): Promise<Socket> {
    const sent = this.#begin(request, { Connection: 'Upgrade', Upgrade: 'tcp' });
    const connected = new Promise<Socket>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => void this.#refuse(request, response).catch(reject));
      sent.on('upgrade', (_, socket: Socket, head) => {
        if (head.length > 0) socket.unshift(head);
        socket.setNoDelay(true);
        resolve(socket);
      });
    });
    sent.end(request.body === undefined ? undefined : JSON.stringify(request.body));
    return this.#within(request, sent, connected);
  }

  async #send(request: EngineRequest): Promise<string> {
    const sent = this.#begin(request);
    const answered = new Promise<string>((resolve, reject) => {
      sent.on('error', reject);
      sent.on('response', (response) => {
        const { statusCode = 0 } = response;
        (statusCode < 400 ? text(response) : this.#refuse(request, response)).then(resolve, reject);
      });
    });
    if (request.file !== undefined)
      createReadStream(request.file)
        .on('error', (error) => sent.destroy(error))
        .pipe(sent);
    else sent.end(request.body === undefined ? undefined : JSON.stringify(request.body));
    return this.#within(request, sent, answered);
  }

  #begin({ method = 'GET', path, query, body, file }: EngineRequest, headers: http.OutgoingHttpHeaders = {}) {
    const question = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
    const kind = file !== undefined ? 'application/x-tar' : body !== undefined ? 'application/json' : undefined;
    return (this.#secure ? https : http).request({
      ...this.#options,
      method,
      path: `${path}${question}`,
      headers: { Host: 'engine', ...(kind !== undefined && { 'Content-Type': kind }), ...headers },
      agent: false,
    });
  }

  async #within<T>({ what, deadline = 30_000 }: EngineRequest, sent: http.ClientRequest, work: Promise<T>): Promise<T> {
    try {
      return await within(work, { what: `the container engine to ${what}`, deadline: timeout(deadline) });
    } catch (error) {
      sent.destroy();
      if (error instanceof MacvlabError) throw error;
      throw this.#unreachable(error as NodeJS.ErrnoException);
    }
  }

  async #refuse({ what }: EngineRequest, response: http.IncomingMessage): Promise<never> {
    const words = await text(response);
    throw new RequestRefusal(
      what,
      response.statusCode ?? 0,
      messageIn(words) ?? (words.trim() || 'it does not say why'),
    );
  }

  #unreachable(error: NodeJS.ErrnoException): MacvlabError {
    const { host, origin } = this.address;
    const denied = error.code === 'EACCES' || error.code === 'EPERM';
    const why = denied ? 'may not be used by this user' : 'does not answer';
    return new MacvlabError('ENGINE_MISSING', `the container engine at ${host} (${origin}) ${why}`, {
      evidence: messageOf(error),
      next: denied
        ? 'run the same command with sudo, or as a user of the group that owns the socket'
        : 'start it (`systemctl start docker`), or name another one in DOCKER_HOST',
      cause: error,
    });
  }
}

/** @throws MacvlabError ENGINE_MISSING when it is not an address */
function placeOf({ host, origin }: EngineAddress): Pick<URL, 'protocol' | 'hostname' | 'port' | 'pathname'> {
  try {
    const { protocol, hostname, port, pathname } = new URL(host);
    return { protocol, hostname, port, pathname: decodeURIComponent(pathname) };
  } catch (error) {
    throw new MacvlabError('ENGINE_MISSING', `${origin} names no address of an engine: ${host}`, {
      next: 'give unix:///path/of/its.sock or tcp://host:port',
      cause: error,
    });
  }
}

/** How to install or start an engine, if there is none. */
export function howToGetEngine(): string {
  const line = installCommand(['dockerd']);
  const install = line === undefined ? 'install docker or podman' : line;
  return `${install}; then start it (systemctl start docker), or name one in DOCKER_HOST`;
}

/** The error message in an engine's response to a failed request; podman uses another field. */
function messageIn(words: string): string | undefined {
  try {
    const { message, cause } = JSON.parse(words) as { message?: string; cause?: string };
    return message ?? cause;
  } catch {
    return undefined;
  }
}

function certificates({ certificates: folder }: EngineAddress): https.RequestOptions {
  if (folder === undefined) return {};
  const read = (name: string) => readFileSync(join(folder, name));
  try {
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } catch (error) {
    throw new MacvlabError('ENGINE_MISSING', `the certificates for the container engine cannot be read`, {
      evidence: messageOf(error),
      next: 'name their folder in DOCKER_CERT_PATH',
      cause: error,
    });
  }
}
