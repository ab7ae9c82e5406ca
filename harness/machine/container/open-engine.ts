/** The engine for labs: finds it, queries its version, and refuses it if it cannot run a lab. */
import { MacvlabError } from '../../core/error.js';
import { type EngineVersion, versionOf } from './containers.js';
import { Engine, howToGetEngine } from './engine.js';
import { findEngine } from './engine-address.js';
import { imageArchitecture } from './node-image.js';

/** Docker 20.10 and podman 4 support it; older engines are untested. */
const oldestApi = '1.41';

/**
 * @param ownImage whether the engine is to run the project's image
 * @throws MacvlabError ENGINE_MISSING when there is none, or it does not respond; ENGINE_REFUSED when it cannot run a
 * lab
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

/** The reason why an engine cannot run a lab, as a sentence without its subject; undefined if it can. */
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

/** Compares versions like "1.41". @returns a negative number when the first is older */
function compareApi(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
