# The machines, for each provider.

require_relative 'settings'

module Macvlab
  # A cable between a node and the switch. The addresses are the same in every checkout: no frame leaves its cable.
  # harness/machine/vagrant/machines.ts knows them as well.
  CABLES = {
    'node1' => { node: '026d766c0001', switch: '026d766c0101', port: 10_010 },
    'node2' => { node: '026d766c0002', switch: '026d766c0102', port: 10_020 }
  }.freeze

  MACHINES = %w[switch node1 node2].freeze

  def self.machines(config, settings)
    config.vm.box = settings.box
    config.vm.box_check_update = false
    # seconds; a stock box takes 2 minutes, emulated on a machine of its own
    config.vm.boot_timeout = 900
    config.vm.synced_folder '.', '/vagrant', disabled: true
    own_box(config, settings) if settings.own_box?
    MACHINES.each do |name|
      config.vm.define(name) do |machine|
        cables(name, settings).each_with_index { |cable, index| lay(machine, settings, name, cable, index + 1) }
        provider(machine, settings, name)
        provision(machine, name, settings)
      end
    end
  end

  # The ends of cables at a machine: each with its card's address, its own UDP port and that of the other end.
  def self.cables(machine, settings)
    CABLES.select { |node, _| [node, 'switch'].include?(machine) }.map do |node, cable|
      at_node = machine == node
      near, far = at_node ? [0, 1] : [1, 0]
      { node: node, mac: at_node ? address(node, settings) : cable[:switch], near: cable[:port] + near, far: cable[:port] + far }
    end
  end

  # A node's card. On a real switch another checkout's may be as well, and must not have the same address.
  def self.address(node, settings)
    settings.bridge.split.empty? ? CABLES[node][:node] : "02#{settings.checkout}0#{CABLES.keys.index(node) + 1}"
  end

  # Where a checkout's cables are on the loopback: an address of 127.0.0.0/8 made of its name, so that two use the same ports.
  def self.loopback(settings)
    first, second, third = settings.checkout.scan(/../).first(3).map(&:hex)
    "127.#{[first, 1].max}.#{second}.#{third.clamp(1, 254)}"
  end

  # Point to point, so that nothing between the machines filters, floods or learns: hairpin and VLAN tags pass as on a cable.
  def self.lay(machine, settings, name, cable, slot)
    cards = settings.bridge.split
    unless cards.empty? || name == 'switch'
      card = cards[CABLES.keys.index(name)]
      # passthrough: libvirt's macvtap hands all frames on, not only those for the machine's own address
      machine.vm.network :public_network, auto_config: false, bridge: card, dev: card, mode: 'passthrough', type: 'direct',
                                          mac: cable[:mac]
      machine.vm.provider(:virtualbox) { |vb| vb.customize ['modifyvm', :id, "--nicpromisc#{slot + 1}", 'allow-all'] }
      return
    end
    here = loopback(settings)
    machine.vm.provider :libvirt do |_, override|
      override.vm.network :private_network,
                          auto_config: false, libvirt__tunnel_type: 'udp', mac: cable[:mac],
                          libvirt__tunnel_local_ip: here, libvirt__tunnel_local_port: cable[:near].to_s,
                          libvirt__tunnel_ip: here, libvirt__tunnel_port: cable[:far].to_s
    end
    machine.vm.provider :virtualbox do |vb|
      vb.customize udp_tunnel(slot + 1, cable, here)
    end
  end

  # VirtualBox's manual, "UDP Tunnel networking". It listens on all addresses: one checkout at a time there.
  def self.udp_tunnel(nic, cable, address)
    ['modifyvm', :id, "--nic#{nic}", 'generic', "--nictype#{nic}", 'virtio', "--macaddress#{nic}", cable[:mac],
     "--nicgenericdrv#{nic}", 'UDPTunnel', "--nicproperty#{nic}", "dest=#{address}",
     "--nicproperty#{nic}", "sport=#{cable[:near]}", "--nicproperty#{nic}", "dport=#{cable[:far]}",
     "--cableconnected#{nic}", 'on']
  end

  def self.provider(machine, settings, name)
    machine.vm.provider :libvirt do |libvirt|
      libvirt.default_prefix = "macvlab-#{settings.checkout}-"
      libvirt.title = "macvlab #{name}"
      libvirt.uri = settings.uri unless settings.uri.empty?
      libvirt.driver = settings.domain_type
      if settings.domain_type == 'qemu'
        # random numbers are there at once, as in the vm lab
        libvirt.cpu_mode = 'custom'
        libvirt.cpu_model = 'qemu64'
        libvirt.cpu_feature name: 'rdrand', policy: 'require'
      end
      libvirt.memory = settings.memory.to_i
      libvirt.cpus = settings.cpus.to_i
      libvirt.graphics_type = 'none'
      libvirt.video_type = 'none'
      libvirt.management_network_mode = settings.management
    end
    machine.vm.provider :virtualbox do |vb|
      vb.name = "macvlab-#{settings.checkout}-#{name}"
      vb.memory = settings.memory.to_i
      vb.cpus = settings.cpus.to_i
    end
  end

  # The box that macvlab makes has no boot loader: libvirt starts its kernel.
  def self.own_box(config, settings)
    made = settings.prepared
    config.vm.box = made['box']
    config.vm.box_url = "file://#{made['file']}"
    config.vm.provider :libvirt do |libvirt|
      libvirt.kernel = made['kernel']
      libvirt.initrd = made['initrd']
      libvirt.cmd_line = made['arguments']
    end
  rescue Refusal => e
    # machines that are there can be looked at, entered and removed without
    config.vm.box = OWN_BOX
    config.trigger.before(:up, :reload) { |trigger| trigger.ruby { raise e } }
  end

  # Once what the box lacks, and whenever it starts what makes a lab to play in.
  def self.provision(machine, name, settings)
    cards = cables(name, settings).map { |cable| "#{cable[:node]}=#{cable[:mac].scan(/../).join(':')}" }
    machine.vm.provision 'programs', type: :shell, path: File.join(ROOT, 'vagrant/provision.sh')
    machine.vm.provision 'network', type: :shell, run: 'always', path: File.join(ROOT, 'vagrant/network.sh'), args: [name, *cards]
  end
end
