/** The files of the Vagrant lab that are no code of ours: the Vagrantfile, and what belongs to it. */
import { fileURLToPath } from 'node:url';

/** The folder of the Vagrantfile, which lies four folders above the compiled file. */
export const packageFolder = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');
