import { expect } from 'chai';
import { percentIn, readPlan } from './archive.js';

const hash = 'ab'.repeat(32);

describe('what apt says about downloads', () => {
  it('is a file, its package and what it must be', () => {
    const line = `'http://deb.example/linux-base_1%3a4.12_all.deb' linux-base_1%3a4.12_all.deb 31084 SHA256:${hash}\n`;
    expect(readPlan(`Reading...\n${line}`)).to.deep.equal([
      { file: 'linux-base_1%3a4.12_all.deb', package: 'linux-base=1:4.12', bytes: 31084, sha256: hash },
    ]);
  });

  it('never names a file elsewhere, or an option', () => {
    for (const file of ['../x_1_all.deb', '/etc/x_1_all.deb', '..', '-o_1_all.deb', 'a/b_1_all.deb']) {
      expect(readPlan(`'http://deb.example/x' ${file} 1 SHA256:${hash}\n`), file).to.deep.equal([]);
    }
  });

  it('is a percentage, or none', () => {
    expect(percentIn('dlstatus:1:77.3:Retrieving')).to.equal(77.3);
    for (const line of [
      'dlstatus:1:1.2.3:x',
      'dlstatus:1:...:x',
      `dlstatus:1:${'9'.repeat(400)}:x`,
      'pmstatus:a:50:x',
    ]) {
      expect(percentIn(line), line).to.equal(0);
    }
  });
});
