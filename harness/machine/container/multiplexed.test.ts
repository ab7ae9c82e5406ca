import { expect } from 'chai';
import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { Multiplexed } from './multiplexed.js';

/** A connection with this process at both ends. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(`\0macvlab-multiplexed-${process.pid}-${Math.random()}`);
  await once(server, 'listening');
  const near = connect(server.address() as string);
  const [far] = (await once(server, 'connection')) as [Socket];
  server.close();
  return [near, far];
}

function piece(output: 1 | 2, content: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = output;
  header.writeUInt32BE(Buffer.byteLength(content), 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

describe('both outputs over one connection', () => {
  it('are told apart, however they are cut', async () => {
    const [near, far] = await pair();
    const stream = new Multiplexed(near);
    const whole = Buffer.concat([
      piece(1, 'SSH-2.0'),
      piece(2, 'a warning\n'),
      piece(1, ''),
      piece(1, 'größer'),
      piece(2, 'end'),
    ]);
    for (const byte of whole) far.write(Buffer.of(byte));
    far.end();
    expect(await text(stream)).to.equal('SSH-2.0größer');
    expect(stream.words).to.equal('a warning\nend');
  });

  it('of which only the last of the standard error are kept', async () => {
    const [near, far] = await pair();
    const stream = new Multiplexed(near, 10);
    far.end(Buffer.concat([piece(2, 'x'.repeat(5000)), piece(2, 'last words')]));
    expect(await text(stream)).to.equal('');
    expect(stream.words).to.equal('last words');
  });

  it('come as they arrive, however long a piece says that it is', async () => {
    const [near, far] = await pair();
    const stream = new Multiplexed(near);
    const header = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    far.write(Buffer.concat([header, Buffer.from('the beginning')]));
    const [first] = (await once(stream, 'data')) as [Buffer];
    expect(first.toString()).to.equal('the beginning');
    far.destroy();
  });

  it('are not read faster than they are taken, and lose nothing', async () => {
    const [near, far] = await pair();
    const stream = new Multiplexed(near);
    const parts = Array.from({ length: 200 }, (_, index) => `${index} ${'y'.repeat(20_000)}\n`);
    for (const part of parts) far.write(piece(1, part));
    far.end();
    expect(await text(stream)).to.equal(parts.join(''));
  });

  it('end with the connection; what is written goes out as it is', async () => {
    const [near, far] = await pair();
    const stream = new Multiplexed(near);
    stream.write('to the standard input');
    stream.end();
    expect(await text(far)).to.equal('to the standard input');
    stream.resume();
    const closed = once(stream, 'close');
    far.destroy();
    await closed;
  });
});
