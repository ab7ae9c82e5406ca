/** Article 2's network on a VLAN, with podman and with the CNI plugin: both use an existing sub-interface. */
import { containerNetworksInVlan } from './support/engine-vlan.js';

containerNetworksInVlan('podman');
containerNetworksInVlan('cni');
