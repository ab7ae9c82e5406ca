/** The capture points of a lab, as a pcapng file describes them. */
import { withoutPrefix, type Station } from '../../exchange/station.js';
import type { Lab } from '../../lab/lab.js';
import type { Capture } from '../../wire/capture.js';
import type { CaptureInterface } from '../../wire/pcap/pcapng-writer.js';

/** What a lab knows about one of its captures. */
export function describeCapture(lab: Lab, capture: Capture): CaptureInterface {
  const { stack, direction, filter, device } = capture.place;
  const station = stationAt(lab, capture);
  const { ahead, error } = stack.session.clock;
  const clock =
    ahead === 0 && error === 0 ? 'clock of the machine that wrote this file' : `clock error ±${error / 1000} ms`;
  const way = direction === undefined ? 'both directions' : `frames that ${direction === 'in' ? 'come in' : 'go out'}`;
  const what = station ? describeStation(station) : `port ${device} of ${stack.name}`;
  const translate = (cidr: string) => stack.session.translation?.sent(cidr) ?? cidr;
  return {
    name: capture.name,
    description: [what, way, clock].join(', '),
    ...(station && { ...(station.mac && { mac: station.mac }), addresses: station.addresses.map(translate) }),
    ...(filter !== undefined && { filter }),
    ...(!lab.machines.external && { os: `Linux ${lab.kernel}` }),
  };
}

/** MAC of the station at a capture point: its frames go out there. Undefined at a port of the switch. */
export function macAt(lab: Lab, capture: Capture): string | undefined {
  return stationAt(lab, capture)?.mac;
}

/** The addresses and MACs of a lab's stations, as they are on the wire, with the stations' names. */
export function namesOf(lab: Lab): [address: string, name: string][] {
  return stationsOf(lab).flatMap(({ name, addresses, mac, stack }) => {
    const translate = (address: string) => stack.session.translation?.sent(address) ?? address;
    const ips = addresses.map((cidr): [string, string] => [translate(withoutPrefix(cidr)), name]);
    return mac ? [...ips, [mac, name] as [string, string]] : ips;
  });
}

function stationsOf(lab: Lab): Station[] {
  return [...lab.nodes, ...lab.endpoints.filter(({ addresses }) => addresses.length > 0)];
}

function stationAt(lab: Lab, capture: Capture): Station | undefined {
  const { stack, device } = capture.place;
  return stationsOf(lab).find((station) => station.stack === stack && station.device === device);
}

function describeStation({ device, host, name, mode, parent, mac }: Station): string {
  const tag = /\.(\d+)$/.exec(parent ?? '')?.[1];
  const parts =
    parent === undefined
      ? [`uplink ${device} of ${name}`]
      : [
          `macvlan child ${device} of ${parent} on ${host}`,
          ...(mode === undefined ? [] : [`mode ${mode}`]),
          ...(tag === undefined ? [] : [`VLAN ${tag}`]),
        ];
  return [...parts, ...(mac ? [`MAC ${mac}`] : [])].join(', ');
}
