# Settings of the Vagrant lab: the YAML file, and what the environment says instead.

require 'digest'
require 'json'
require 'yaml'

module Macvlab
  # What keeps the machines from being made, with the next command to type; Vagrant shows it as it is.
  class Refusal < Vagrant::Errors::VagrantError
    def initialize(what, next_step)
      @words = "macvlab: #{what}\n  next: #{next_step}"
      super()
    end

    def error_message
      @words
    end
  end

  ROOT = File.expand_path('..', __dir__)
  OWN_BOX = 'macvlab'.freeze

  Settings = Struct.new(:provider, :box, :memory, :cpus, :kernel, :driver, :uri, :management, :bridge, keyword_init: true) do
    def self.read(environment = ENV)
      shipped = File.join(ROOT, 'vagrant/settings.yaml')
      file = environment['MACVLAB_VAGRANT_SETTINGS'] || shipped
      given = read_file(shipped).merge(read_file(file))
      # Vagrant's own word for it counts as well
      own_word = environment['VAGRANT_DEFAULT_PROVIDER'].to_s
      given['provider'] = own_word unless own_word.empty?
      values = members.to_h { |name| [name, (environment["MACVLAB_VAGRANT_#{name.upcase}"] || given[name.to_s]).to_s] }
      new(**values).check
    end

    def self.read_file(file)
      given = YAML.safe_load(File.read(file)) || {}
      unknown = given.is_a?(Hash) ? given.keys - members.map(&:to_s) : [given]
      return given if unknown.empty?

      raise Refusal.new("#{file}: there is no setting #{unknown.join(', ')}", "choose among: #{members.join(', ')}")
    rescue Psych::Exception, SystemCallError => e
      raise Refusal.new("the settings cannot be read: #{e.message}", "mend #{file}, or unset MACVLAB_VAGRANT_SETTINGS")
    end

    def check
      choose(:provider, %w[libvirt virtualbox])
      choose(:driver, %w[auto kvm qemu])
      choose(:management, %w[nat none])
      choose_number(:memory, 128)
      choose_number(:cpus, 1)
      refuse(:bridge, 'two network cards, or none') unless [0, 2].include?(bridge.split.size)
      refuse(:box, 'the name of a box') if box.empty?
      if own_box? && provider != 'libvirt'
        raise Refusal.new("the box #{box} is for libvirt, and the provider is #{provider}",
                          "choose a box that is for #{provider} too, such as MACVLAB_VAGRANT_BOX=debian/bookworm64; " \
                          'or MACVLAB_VAGRANT_PROVIDER=libvirt')
      end
      unless kernel.empty? || own_box?
        raise Refusal.new("the box #{box} brings its own kernel", "leave the setting kernel empty, or set box to #{OWN_BOX}")
      end
      self
    end

    def own_box?
      box == OWN_BOX
    end

    # What is in the names of this checkout's machines, so that two checkouts never meet.
    def checkout
      Digest::SHA256.hexdigest(File.realpath(ROOT))[0, 8]
    end

    # What `macvlab lab prepare --lab vagrant` has made: name and file of the box, kernel, initrd and the kernel's words.
    def prepared
      name = kernel.empty? ? 'default' : Digest::SHA256.hexdigest(kernel)[0, 12]
      made = JSON.parse(File.read(File.join(cache, 'vagrant', 'prepared', "#{name}.json")))
      %w[file kernel initrd].each { |part| File.stat(made[part]) }
      made
    rescue SystemCallError, JSON::ParserError, TypeError
      option = kernel.empty? ? '' : " --kernel #{kernel}"
      raise Refusal.new("the box has not been made#{option.empty? ? '' : " for the kernel #{kernel}"}",
                        "npx macvlab lab prepare --lab vagrant#{option}   (or choose another box in vagrant/settings.yaml)")
    end

    # What libvirt's domains are: kvm, or qemu for emulation.
    def domain_type
      return driver unless driver == 'auto'

      found = File.join(cache, 'acceleration.json')
      kind = File.exist?(found) ? JSON.parse(File.read(found))['kind'] : nil
      kind == 'kvm' || (kind.nil? && File.writable?('/dev/kvm')) ? 'kvm' : 'qemu'
    rescue JSON::ParserError
      'qemu'
    end

    private

    # As harness/core/cache.ts has it.
    def cache
      own = ENV['MACVLAB_CACHE'].to_s
      return own unless own.empty?

      user = ENV['XDG_CACHE_HOME'].to_s
      File.join(user.start_with?('/') ? user : File.join(Dir.home, '.cache'), 'macvlab')
    end

    def choose(name, values)
      refuse(name, values.join(' or ')) unless values.include?(self[name])
    end

    def choose_number(name, least)
      refuse(name, "a number, at least #{least}") unless self[name].match?(/\A\d+\z/) && self[name].to_i >= least
    end

    def refuse(name, allowed)
      raise Refusal.new("the setting #{name} is \"#{self[name]}\"",
                        "give #{allowed}, in vagrant/settings.yaml or in MACVLAB_VAGRANT_#{name.upcase}")
    end
  end
end
