<?php
/**
 * GatewayWorker as a peer of the benchmark.
 *
 *     GATEWAYWORKER_DIR=… BENCH_PORT=… BENCH_INNER_PORT=… BENCH_REGISTER_PORT=… BENCH_EVENTS=thin|FILE php start.php start
 *
 * GATEWAYWORKER_DIR holds checkouts named GatewayWorker, workerman and coroutine. BENCH_EVENTS names a
 * file that defines class Events; "thin" is ours.
 */
$dir = getenv('GATEWAYWORKER_DIR');
spl_autoload_register(function (string $class) use ($dir) {
    foreach ([
        'GatewayWorker\\' => ["$dir/GatewayWorker/src/"],
        'Workerman\\Coroutine\\' => ["$dir/coroutine/src/"],
        'Workerman\\' => ["$dir/workerman/src/", "$dir/coroutine/src/"],
    ] as $prefix => $folders) {
        if (strncmp($class, $prefix, strlen($prefix)) !== 0) {
            continue;
        }
        foreach ($folders as $folder) {
            $file = $folder . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
            if (is_file($file)) {
                require_once $file;
                return;
            }
        }
    }
});

use GatewayWorker\BusinessWorker;
use GatewayWorker\Gateway;
use GatewayWorker\Register;
use Workerman\Worker;

require_once getenv('BENCH_EVENTS') === 'thin' ? __DIR__ . '/thin.php' : getenv('BENCH_EVENTS');

$var = getenv('BENCH_VAR') ?: sys_get_temp_dir();
Worker::$pidFile = "$var/workerman.pid";
Worker::$logFile = "$var/workerman.log";
Worker::$statusFile = "$var/workerman.status";

$registry = '127.0.0.1:' . getenv('BENCH_REGISTER_PORT');
new Register("text://$registry");

$gateway = new Gateway('Websocket://127.0.0.1:' . getenv('BENCH_PORT'));
$gateway->name = 'BenchGateway';
$gateway->count = 1;
$gateway->lanIp = '127.0.0.1';
$gateway->startPort = (int)getenv('BENCH_INNER_PORT');
$gateway->registerAddress = $registry;

$worker = new BusinessWorker();
$worker->name = 'BenchWorker';
$worker->count = 1;
$worker->registerAddress = $registry;
$worker->eventHandler = 'Events';

Worker::runAll();
