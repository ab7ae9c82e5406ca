import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MacvlabError } from '../core/error.js';
import { findProgram } from '../setup/tools.mjs';
import { type RootRecipe, rootRecipe } from './root-recipe.js';
import { packRoot, recipeDigest } from './root-tree.js';
import { busyboxOf, findRootImage, rootImage, squashed } from './root-image.js';

const missing = ['dpkg-deb', 'mksquashfs', 'unsquashfs'].filter((name) => !findProgram(name));
const why = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} not installed)`;

describe('the guests’ root image', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'macvlab-root-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (file: string, content: string, mode = 0o644): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
    chmodSync(join(folder, file), mode);
  };

  describe('in the cache', () => {
    let before: string | undefined;
    beforeEach(() => {
      before = process.env.MACVLAB_CACHE;
      process.env.MACVLAB_CACHE = folder;
    });
    afterEach(() => {
      if (before === undefined) delete process.env.MACVLAB_CACHE;
      else process.env.MACVLAB_CACHE = before;
    });
    const entry = (name: string, age: number): void => {
      write(`root-images/${name}/root.squashfs`, name);
      const time = new Date(Date.now() - age);
      utimesSync(join(folder, 'root-images', name), time, time);
    };

    it('is the one that the same recipe made last, whole', async () => {
      const recipe = recipeDigest(rootRecipe);
      expect(findRootImage()).to.equal(undefined);
      entry(`${recipe}-older`, 9000);
      entry(`${recipe}-newer`, 5000);
      entry('another0recipe-newest', 1000);
      entry(`${recipe}-half.12-abc.part`, 0);
      const image = join(folder, 'root-images', `${recipe}-newer`, 'root.squashfs');
      expect(findRootImage()).to.equal(image);
      expect(await rootImage()).to.equal(image);
      expect(busyboxOf(image)).to.equal(join(dirname(image), 'busybox'));
    });
  });

  it('is another one as soon as the recipe is', () => {
    expect(recipeDigest(rootRecipe)).to.match(/^[0-9a-f]{12}$/);
    expect(recipeDigest({ ...rootRecipe })).to.equal(recipeDigest(rootRecipe));
    expect(recipeDigest({ ...rootRecipe, suite: 'sid' })).not.to.equal(recipeDigest(rootRecipe));
  });

  describe(`made of packages${why}`, () => {
    before(function () {
      if (missing.length > 0) this.skip();
    });

    const recipe: RootRecipe = {
      ...rootRecipe,
      leftOut: ['unwanted'],
      kept: ['usr/bin', 'usr/sbin'],
      dropped: ['usr/bin/dropped'],
      commands: ['sh', 'cat', 'ldconfig'],
    };
    const pack = (name: string, files: Record<string, string>): string => {
      for (const [file, content] of Object.entries(files)) write(`${name}/${file}`, content, 0o755);
      const control = `Package: ${name}\nVersion: 1\nArchitecture: amd64\nMaintainer: a test\nDescription: a test\n`;
      write(`${name}/DEBIAN/control`, control);
      const deb = join(folder, `${name}_1_amd64.deb`);
      expect(spawnSync('dpkg-deb', ['--root-owner-group', '--build', join(folder, name), deb]).status).to.equal(0);
      return deb;
    };
    /** Trivial programs in place of the real ones. */
    const packages = (): string[] => [
      pack('some', {
        'usr/bin/busybox': '#!/bin/sh\nprintf "cat\\nsh\\n"\n',
        'usr/bin/sh': 'a shell',
        'usr/bin/dropped': '',
        'usr/sbin/ldconfig': '#!/bin/sh\n: >"$4/etc/ld.so.cache"\n',
        'usr/share/doc/some/README': 'no guest reads it',
      }),
      pack('unwanted', { 'usr/bin/perl': '' }),
    ];
    const digestOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

    it('has what the recipe keeps, and busybox for the rest', async () => {
      const out = join(folder, 'out');
      mkdirSync(out);
      await packRoot(squashed, recipe, packages(), out);
      expect(readdirSync(out).sort()).to.deep.equal(['busybox', 'root.squashfs']);
      const { stdout } = spawnSync('unsquashfs', ['-lls', join(out, 'root.squashfs')], { encoding: 'utf8' });
      expect(stdout).to.include('usr/bin/cat -> busybox').and.include('root/bin -> usr/bin');
      expect(stdout)
        .to.match(/^-rwxr-xr-x root\/root .*usr\/bin\/sh$/m)
        .and.include('etc/ld.so.cache');
      expect(stdout).not.to.match(/dropped|perl|README/);
    });

    it('has the same bytes when it is made again, whatever this process’s umask', async () => {
      const files = packages();
      const [first, second] = [join(folder, 'first'), join(folder, 'second')];
      mkdirSync(first);
      mkdirSync(second);
      await packRoot(squashed, recipe, files, first);
      const before = process.umask(0o077);
      try {
        await packRoot(squashed, recipe, files, second);
      } finally {
        process.umask(before);
      }
      expect(digestOf(join(second, 'root.squashfs'))).to.equal(digestOf(join(first, 'root.squashfs')));
    });

    it('is not made when a command that labs need is missing', async () => {
      const out = join(folder, 'out');
      mkdirSync(out);
      const error: unknown = await packRoot(
        squashed,
        { ...recipe, commands: ['sh', 'tcpdump'] },
        packages(),
        out,
      ).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(MacvlabError);
      expect((error as MacvlabError).message).to.equal('the guests’ packages lack tcpdump');
    });

    it('is not made of a package that is damaged', async () => {
      const [some = ''] = packages();
      writeFileSync(some, readFileSync(some).subarray(0, 300));
      const error: unknown = await packRoot(squashed, recipe, [some], folder).catch((reason: unknown) => reason);
      expect((error as MacvlabError).code).to.equal('KERNEL_FETCH');
    });
  });
});
