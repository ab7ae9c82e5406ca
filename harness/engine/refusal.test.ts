import { expect } from 'chai';
import { EngineRefusal } from './refusal.js';

/** Real output of the engines: docker 26.1.5, podman 5.4.2, the plugins 1.1.1. */
const transcripts = [
  [
    'Error response from daemon: network dm-b59e24be439d is already using parent interface eth1',
    'network dm-b59e24be439d is already using parent interface eth1',
  ],
  [
    "WARNING: IPv4 forwarding is disabled. Networking will not work.\ndocker: Error response from daemon: Address already in use.\nSee 'docker run --help'.",
    'Address already in use.',
  ],
  [
    'Error: network name podman already used: network already exists',
    'network name podman already used: network already exists',
  ],
  [
    '{\n    "code": 999,\n    "msg": "failed to lookup master \\"uplink\\": Link not found"\n}',
    'failed to lookup master "uplink": Link not found',
  ],
  [
    '{"cniVersion":"1.0.0","code":7,"msg":"Invalid network config","details":"no master"}',
    'Invalid network config: no master',
  ],
  ['{"another": "thing"}', '{"another": "thing"}'],
  ['{ half', '{ half'],
  ['', 'it said nothing'],
] as const;

describe('what an engine said when it refused', () => {
  for (const [said, words] of transcripts) {
    it(`is told without its frame: ${words}`, () => {
      const refusal = new EngineRefusal('node1: docker run', ['docker', 'run', 'c1'], said);
      expect(refusal.words).to.equal(words);
      expect(refusal.code).to.equal('ENGINE_REFUSED');
      expect(refusal.message).to.equal(`node1: docker run: ${words}`);
      expect(refusal.evidence).to.include('$ docker run c1').and.to.include(said.trimEnd());
    });
  }
});
