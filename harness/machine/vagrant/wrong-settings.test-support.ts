/** Settings that macvlab and the Vagrantfile both reject, and the advice of both. */
export const wrongSettings: readonly { given: Record<string, string>; next: RegExp }[] = [
  {
    given: { MACVLAB_VAGRANT_PROVIDER: 'hyperv' },
    next: /give libvirt or virtualbox, in .* or in MACVLAB_VAGRANT_PROVIDER/,
  },
  {
    given: { MACVLAB_VAGRANT_MEMORY: 'much' },
    next: /give a number, at least 128, in .* or in MACVLAB_VAGRANT_MEMORY/,
  },
  { given: { MACVLAB_VAGRANT_MEMORY: '100' }, next: /give a number, at least 128/ },
  { given: { MACVLAB_VAGRANT_CPUS: '0' }, next: /give a number, at least 1,/ },
  { given: { MACVLAB_VAGRANT_DRIVER: 'vmware' }, next: /give auto or kvm or qemu/ },
  { given: { MACVLAB_VAGRANT_BRIDGE: 'eno1' }, next: /give two network cards, or none/ },
  { given: { MACVLAB_VAGRANT_PROVIDER: 'virtualbox' }, next: /MACVLAB_VAGRANT_BOX=debian\/bookworm64/ },
  {
    given: { MACVLAB_VAGRANT_BOX: 'debian/bookworm64', MACVLAB_VAGRANT_KERNEL: '6.12' },
    next: /leave the setting kernel empty/,
  },
];
