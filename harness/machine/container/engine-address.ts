/** The address of this machine's container engine: found as the docker client does, then from podman's sockets. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { MacvlabError, messageOf } from '../../core/error.js';

/** The address of an engine. */
export const engineAddress = z.object({
  /** In the form of DOCKER_HOST: "unix:///var/run/docker.sock", "tcp://192.0.2.1:2376". */
  host: z.string(),
  /** Where the address was found: "DOCKER_HOST", "docker’s context remote". */
  origin: z.string(),
  /** Folder of ca.pem, cert.pem and key.pem, if the connection uses TLS. */
  certificates: z.string().exactOptional(),
});
export type EngineAddress = z.infer<typeof engineAddress>;

type Environment = Readonly<Record<string, string | undefined>>;

/** docker's name for the configuration without any context. */
const noContext = 'default';

/**
 * The engine's address; undefined if no setting names one and there is no socket in the engines' usual places. It does
 * not check whether an engine answers at the address.
 *
 * The order is that of docker's client: DOCKER_HOST, DOCKER_CONTEXT, the context of its configuration, the default
 * socket (docker/cli, cli/command/cli.go, resolveContextName).
 * @throws MacvlabError ENGINE_MISSING for a context that does not exist, or an address of an unsupported kind
 */
export function findEngine(environment: Environment = process.env): EngineAddress | undefined {
  const { DOCKER_HOST: host, DOCKER_CONTEXT: chosen } = environment;
  if (host) return usable({ host, origin: 'DOCKER_HOST', ...certificatesOf(environment) });
  const folder = environment.DOCKER_CONFIG || join(homeOf(environment), '.docker');
  const context = chosen || currentContext(join(folder, 'config.json'));
  if (context && context !== noContext) return usable(ofContext(folder, context));
  const socket = sockets(environment).find((path) => existsSync(path));
  return socket === undefined ? undefined : { host: `unix://${socket}`, origin: 'its socket' };
}

/** The usual places of engines' sockets: docker, docker without root, Docker Desktop, podman with and without root. */
function sockets(environment: Environment = process.env): string[] {
  const own = environment.XDG_RUNTIME_DIR || `/run/user/${process.geteuid?.()}`;
  return [
    '/var/run/docker.sock',
    join(own, 'docker.sock'),
    join(homeOf(environment), '.docker/run/docker.sock'),
    '/run/podman/podman.sock',
    join(own, 'podman/podman.sock'),
  ];
}

function homeOf({ HOME }: Environment): string {
  return HOME || homedir();
}

function certificatesOf({ DOCKER_TLS_VERIFY: verify, DOCKER_CERT_PATH: folder, ...rest }: Environment) {
  if (!verify) return {};
  return { certificates: folder || rest.DOCKER_CONFIG || join(homeOf(rest), '.docker') };
}

const configuration = z.looseObject({ currentContext: z.string().optional() });

function currentContext(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  return readJson(file, configuration).currentContext;
}

const contextMeta = z.looseObject({ Endpoints: z.looseObject({ docker: z.looseObject({ Host: z.string() }) }) });

/** The folder of a context's files is named after the digest of its name (docker/cli, cli/context/store). */
function ofContext(folder: string, name: string): EngineAddress {
  const id = createHash('sha256').update(name).digest('hex');
  const file = join(folder, 'contexts/meta', id, 'meta.json');
  if (!existsSync(file)) {
    throw new MacvlabError('ENGINE_MISSING', `docker’s context ${name} is not there`, {
      evidence: `no file ${file}`,
      next: 'choose another one: `docker context ls`, `docker context use`; or name the engine in DOCKER_HOST',
    });
  }
  const host = readJson(file, contextMeta).Endpoints.docker.Host;
  const certificates = join(folder, 'contexts/tls', id, 'docker');
  const tls = existsSync(join(certificates, 'key.pem')) ? { certificates } : {};
  return { host, origin: `docker’s context ${name}`, ...tls };
}

function readJson<T>(file: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new MacvlabError('ENGINE_MISSING', `${file} does not say where the container engine is`, {
      evidence: messageOf(error),
      next: 'mend it, or name the engine in DOCKER_HOST: unix:///var/run/docker.sock',
      cause: error,
    });
  }
}

function usable(address: EngineAddress): EngineAddress {
  const { host, origin } = address;
  const scheme = /^(\w+):\/\/./.exec(host)?.[1];
  if (scheme !== undefined && ['unix', 'tcp', 'http', 'https'].includes(scheme)) return address;
  const overSsh =
    'bring its socket here: ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock USER@HOST, then DOCKER_HOST=';
  throw new MacvlabError('ENGINE_MISSING', `${origin} names an engine that cannot be reached from here: ${host}`, {
    next: scheme === 'ssh' ? `${overSsh}unix:///tmp/docker.sock` : 'give unix:///path/of/its.sock or tcp://host:port',
  });
}
