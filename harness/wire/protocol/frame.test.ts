import { expect } from 'chai';
import { destinationClass } from './frame.js';

describe('destination classes', () => {
  const classes = {
    'ff:ff:ff:ff:ff:ff': 'broadcast',
    'FF:FF:FF:FF:FF:FF': 'broadcast',
    '01:80:c2:00:00:00': 'multicast',
    '33:33:ff:00:00:01': 'multicast',
    '02:00:00:00:00:01': 'unicast',
    'fe:ff:ff:ff:ff:ff': 'unicast',
  };
  for (const [mac, expected] of Object.entries(classes)) {
    it(`${mac} is ${expected}`, () => expect(destinationClass(mac)).to.equal(expected));
  }
});
