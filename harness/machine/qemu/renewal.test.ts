import { expect } from 'chai';
import { renewalProgram, renewalScript } from './renewal.js';

describe('the program that renews a resumed guest', () => {
  it('is a small executable for x86-64, complete in one segment', () => {
    const file = renewalProgram(0);
    expect(file.subarray(0, 4).toString('latin1')).to.equal('\x7fELF');
    expect(file.readUInt16LE(18), 'EM_X86_64').to.equal(62);
    expect(file.readBigUInt64LE(96), 'the size of its segment').to.equal(BigInt(file.length));
    expect(file.length).to.be.below(400);
  });

  it('carries the time: seconds and nanoseconds', () => {
    const file = renewalProgram(1_796_087_397_250_001);
    expect(file.readBigInt64LE(136)).to.equal(1_796_087_397n);
    expect(file.readBigInt64LE(144)).to.equal(250_001_000n);
  });

  it('carries a different seed each time, of 512 bits', () => {
    const [one, other] = [renewalProgram(0), renewalProgram(0)];
    expect(one.readInt32LE(152)).to.equal(512);
    expect(one.equals(other)).to.equal(false);
    expect(one.subarray(0, 160).equals(other.subarray(0, 160)), 'all but the seed').to.equal(true);
    expect(one.subarray(224).equals(other.subarray(224))).to.equal(true);
  });

  it('is written by a shell’s printf, byte for byte, and is readable for root alone', async () => {
    const { execFileSync } = await import('node:child_process');
    const script = renewalScript(0, '/dev/stdout');
    expect(script[0]).to.equal('umask 077');
    const [, printf = ''] = script;
    const written = execFileSync('sh', ['-c', printf.replace(' >/dev/stdout', '')]);
    expect(written.subarray(0, 160).equals(renewalProgram(0).subarray(0, 160))).to.equal(true);
    expect(written.subarray(224).equals(renewalProgram(0).subarray(224))).to.equal(true);
  });
});
