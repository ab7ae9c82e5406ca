/** The place of the Vagrant lab’s files that are not compiled: the Vagrantfile, and the files that it uses. */
import { fileURLToPath } from 'node:url';

/** The folder of the Vagrantfile, four folders above the compiled file. */
export const packageFolder = fileURLToPath(new URL('../../../../', import.meta.url)).replace(/\/$/, '');
