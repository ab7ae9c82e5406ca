/** Article 2's network on a VLAN, by podman and by the CNI plugin: both sit on a sub-interface, and make none. */
import { containerNetworksInVlan } from './support/engine-vlan.js';

containerNetworksInVlan('podman');
containerNetworksInVlan('cni');
