/**
 * The expected number of experiments in each suite file. Without it, a file that declares fewer (a loop over an empty
 * list, a part that is no longer loaded) would pass with the remaining ones. `suites.test.ts` compares these numbers
 * with the files.
 */
export const expectedTests: Readonly<Record<string, number>> = {
  'suites/a0-cni.ts': 16,
  'suites/a0-docker.ts': 17,
  'suites/a0-introduction.ts': 19,
  'suites/a0-podman.ts': 15,
  'suites/a1-modes.ts': 16,
  'suites/a1-one-after-the-other.ts': 2,
  'suites/a1-promiscuous.ts': 12,
  'suites/a2-docker.ts': 4,
  'suites/a2-macvtap.ts': 3,
  'suites/a2-podman-cni.ts': 4,
  'suites/a2-routing.ts': 7,
  'suites/a2-vlans.ts': 9,
  'suites/a3-cross-host.ts': 7,
  'suites/a4-bridge-in-depth.ts': 9,
  'suites/x-open-questions.ts': 73,
  'suites/x-vlans.ts': 11,
};
