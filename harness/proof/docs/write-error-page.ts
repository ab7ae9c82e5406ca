/** `npm run docs:errors`: generates docs/errors.md again. */
import { fileURLToPath } from 'node:url';
import { writeWhole } from '../../core/report-files.js';
import { errorPage, errorPageFile } from './error-page.js';

writeWhole(fileURLToPath(new URL(`../../../../${errorPageFile}`, import.meta.url)), errorPage());
