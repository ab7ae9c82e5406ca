/** The check of the container lab's prerequisites: it looks for programs and queries the engine, but starts and downloads nothing. */
import { messageOf, MacvlabError } from '../../core/error.js';
import { findProgram, installCommand } from '../../setup/tools.mjs';
import type { Prerequisite } from '../driver.js';
import { versionOf, hasImage } from './containers.js';
import { Engine, howToGetEngine } from './engine.js';
import { findEngine } from './engine-address.js';
import { findNodeImage } from './node-image.js';
import { whyUnsuitable } from './open-engine.js';

/** Programs that create the image, if there is none yet. */
const makers = [
  { name: 'apt-get', purpose: 'fetches the image’s programs, verified; installs nothing' },
  { name: 'apt-config', purpose: 'tells the proxy that this machine’s apt uses' },
  { name: 'flock', purpose: 'keeps two runs from fetching the same at once' },
  { name: 'dpkg-deb', purpose: 'unpacks the image’s programs' },
  { name: 'tar', purpose: 'packs the image' },
];

/** Looks for an engine, queries its version, and looks for the image and for the programs that create it. */
export async function checkContainer({ image }: { image?: string }): Promise<Prerequisite[]> {
  try {
    const address = findEngine();
    if (!address) {
      const detail = 'no DOCKER_HOST, no context of docker’s, and no socket of docker or podman';
      return [{ what: 'container engine', found: false, detail, next: howToGetEngine() }];
    }
    const engine = new Engine(address);
    const version = await versionOf(engine);
    const trouble = whyUnsuitable(version, image === undefined);
    const detail = `${version.version}, API ${version.api}, at ${address.host} (${address.origin})`;
    const next = 'use another engine (DOCKER_HOST), or another lab';
    const found: Prerequisite = { what: 'container engine', found: trouble === undefined, detail, next };
    return [{ ...found, detail: trouble ?? detail }, ...(await checkImage(engine, image))];
  } catch (error) {
    const next = error instanceof MacvlabError ? error.next : howToGetEngine();
    return [{ what: 'container engine', found: false, detail: messageOf(error), next }];
  }
}

async function checkImage(engine: Engine, chosen?: string): Promise<Prerequisite[]> {
  const image = chosen ?? findNodeImage();
  if (image !== undefined) {
    const there = await hasImage(engine, image);
    const absent = chosen === undefined ? 'made; the first lab gives it to the engine' : 'the first lab has it fetched';
    return [{ what: 'image', found: true, detail: there ? image : `${image}: ${absent}` }];
  }
  const tools = makers.map(({ name, purpose }): Prerequisite => {
    const path = findProgram(name);
    const next = installCommand([name]) ?? `install ${name}`;
    return { what: name, found: path !== undefined, detail: path ?? purpose, next };
  });
  return [...tools, { what: 'image', found: true, detail: 'none yet: the first lab makes it' }];
}
