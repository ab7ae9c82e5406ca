/** The engine that labs are made on: found, asked for its version, and refused when it cannot carry a lab. */
import { MacvlabError } from '../../core/error.js';
import { type EngineVersion, versionOf } from './containers.js';
import { Engine, howToGetEngine } from './engine.js';
import { findEngine } from './engine-address.js';
import { imageArchitecture } from './node-image.js';

/** Docker 20.10 and podman 4 speak it; with older ones nothing has been tried. */
const oldestApi = '1.41';

/**
 * @param ownImage whether it is to run the image that we make
 * @throws MacvlabError ENGINE_MISSING when there is none, or nobody answers; ENGINE_REFUSED when it cannot carry a lab
 */
export async function openEngine(ownImage: boolean): Promise<{ engine: Engine; version: EngineVersion }> {
  const address = findEngine();
  if (!address) {
    throw new MacvlabError('ENGINE_MISSING', 'the container lab needs a container engine, and none was found', {
      evidence: 'no DOCKER_HOST, no context of docker’s, and no socket of docker or podman',
      next: howToGetEngine(),
    });
  }
  const engine = new Engine(address);
  const version = await versionOf(engine);
  const trouble = whyUnsuitable(version, ownImage);
  if (trouble === undefined) return { engine, version };
  throw new MacvlabError('ENGINE_REFUSED', `the container engine at ${address.host} ${trouble}`, {
    next: 'use another engine (DOCKER_HOST), or another lab: --lab sandbox, --lab vm',
  });
}

/** Why an engine cannot carry a lab, as a sentence without its subject; undefined when it can. */
export function whyUnsuitable(
  { version, api, system, architecture }: EngineVersion,
  ownImage: boolean,
): string | undefined {
  if (system !== 'linux') return `runs containers of ${system}, and macvlan is a part of Linux`;
  if (compareApi(api, oldestApi) < 0) return `is too old: ${version} speaks version ${api}, and ${oldestApi} is needed`;
  if (ownImage && architecture !== imageArchitecture)
    return `runs on ${architecture}, and the image is for ${imageArchitecture}: name one of your own with --image`;
  return undefined;
}

/** Versions as "1.41": negative when the first is the older one. */
function compareApi(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
