# Prints, as JSON, what the Vagrantfile asks of a provider: for tests, since VirtualBox cannot run everywhere. Uses Vagrant's own loader.
#
#   ruby vagrant/evaluate.rb virtualbox

require 'json'
require 'vagrant'

provider = ARGV.fetch(0).to_sym
ENV['VAGRANT_DEFAULT_PROVIDER'] = provider.to_s
environment = Vagrant::Environment.new(cwd: File.expand_path('..', __dir__))
machines = environment.vagrantfile.machine_names.to_h do |name|
  # the Vagrantfile's own part of the configuration: no box, and no provider's state
  config = environment.vagrantfile.machine_config(name, provider, environment.boxes, nil, false)[:config]
  of_provider = config.vm.get_provider_config(provider)
  asked = {
    box: config.vm.box,
    networks: config.vm.networks.reject { |kind, _| kind == :forwarded_port }.map { |kind, options| options.merge(kind: kind) },
    provisioners: config.vm.provisioners.map { |each| { name: each.name, run: each.run, args: each.config.args } }
  }
  asked[:customizations] = of_provider.customizations.map(&:last) if provider == :virtualbox
  if provider == :libvirt
    asked.merge!(prefix: of_provider.default_prefix, domain: of_provider.driver, memory: of_provider.memory, cpus: of_provider.cpus,
                 uri: of_provider.uri, management: of_provider.management_network_mode)
  end
  [name, asked]
end
puts JSON.generate(machines)
