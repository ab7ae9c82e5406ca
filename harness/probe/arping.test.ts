import { expect } from 'chai';
import { MacvlabError } from '../core/error.js';
import { parseArping } from './arping.js';

// Output of iputils 20221126 in a sandbox.
const answered = `ARPING 192.168.179.9 from 192.168.179.10 eth1
Unicast reply from 192.168.179.9 [8E:80:47:5C:2E:53]  0.931ms
Sent 1 probes (1 broadcast(s))
Received 1 response(s)
`;

describe('parseArping', () => {
  it('tells who answered', () => {
    expect(parseArping(answered, '')).to.deep.equal({ sent: 1, received: 1, macs: ['8e:80:47:5c:2e:53'] });
  });

  it('tells that two answered', () => {
    const both = answered
      .replace('Sent', 'Unicast reply from 192.168.179.9 [5A:0A:8E:7B:F4:00]  1.002ms\nSent')
      .replace('Received 1', 'Received 2');
    expect(parseArping(both, '').macs).to.deep.equal(['8e:80:47:5c:2e:53', '5a:0a:8e:7b:f4:00']);
  });

  it('tells that nobody answered', () => {
    const nobody = 'ARPING 10.0.0.9 from 10.0.0.1 eth1\nSent 1 probes (1 broadcast(s))\nReceived 0 response(s)\n';
    expect(parseArping(nobody, '')).to.deep.equal({ sent: 1, received: 0, macs: [] });
  });

  it('takes for a MAC only what is one', () => {
    const text = answered.replace('8E:80:47:5C:2E:53', '::::::::0:12:34:5');
    expect(parseArping(text, '').macs).to.deep.equal([]);
    expect(() => parseArping(answered.replace('Sent 1', `Sent ${'9'.repeat(400)}`), '')).to.throw(MacvlabError);
  });

  it('refuses the output of another program of this name', () => {
    const habets = 'ARPING 10.0.0.9\n60 bytes from 00:11:22:33:44:55 (10.0.0.9): index=0 time=1.2 usec\n';
    expect(() => parseArping(habets, '')).to.throw(MacvlabError, 'no count');
    expect(() => parseArping('', 'arping: Device eth9 not available.\n')).to.throw(MacvlabError);
  });
});
