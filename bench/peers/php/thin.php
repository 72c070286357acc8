<?php
/** The protocol of bench/thin.c on GatewayWorker. */
use GatewayWorker\Lib\Gateway;

class Events
{
    public static function onMessage($client_id, $message)
    {
        $rest = substr($message, 1);
        switch ($message[0]) {
            case 'e':
                Gateway::sendToClient($client_id, $rest);
                break;
            case 'j':
                Gateway::joinGroup($client_id, 'r' . $rest);
                break;
            case 'p':
                [$room, $payload] = explode('|', $rest, 2);
                Gateway::sendToGroup('r' . $room, $payload);
                break;
            case 'u':
                Gateway::bindUid($client_id, 'u' . $rest);
                Gateway::joinGroup($client_id, 'lobby');
                $_SESSION['name'] = $rest;
                break;
        }
    }
}
